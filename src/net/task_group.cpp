// SPDX-License-Identifier: Apache-2.0
#include <cassert>
#include <cstdint>
#include <map>
#include <vector>

#include <boost/asio/post.hpp>

#include "net/impl.hpp"

namespace net {

namespace asio = boost::asio;

struct TaskGroup::Impl {
    Loop& loop = this_loop();
    std::map<std::uint64_t, std::shared_ptr<asio::cancellation_signal>> tasks;
    std::uint64_t next = 0;
    bool cancelled = false;
    std::vector<std::shared_ptr<Waiter>> drainers;  // shared: a drainer may be destroyed before the last task
};

namespace {

/// A task's place in its group, given back when the task has ended, or is destroyed with its loop.
struct Place {
    std::shared_ptr<TaskGroup::Impl> group;
    std::uint64_t id;
    Place(std::shared_ptr<TaskGroup::Impl> of, std::uint64_t number) : group(std::move(of)), id(number) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        group->tasks.erase(id);
        if (!group->tasks.empty()) return;
        for (const auto& drainer : group->drainers) drainer->wake();
        group->drainers.clear();
    }
};

Task<> drain(std::shared_ptr<TaskGroup::Impl> group) {
    while (!group->tasks.empty()) {
        const auto waiter = std::make_shared<Waiter>(group->loop.impl().context);
        group->drainers.push_back(waiter);
        co_await waiter->wait_always();
    }
}

}  // namespace

TaskGroup::TaskGroup() : impl_(std::make_shared<Impl>()) {}

TaskGroup::~TaskGroup() {
    assert(impl_->tasks.empty() && "a TaskGroup ends after its tasks: await drained()");
}

void TaskGroup::spawn(std::string name, Task<> task) {
    const auto id = impl_->next++;
    auto signal = std::make_shared<asio::cancellation_signal>();
    impl_->tasks.emplace(id, signal);
    auto place = std::make_shared<Place>(impl_, id);
    asio::post(impl_->loop.impl().context, [name = std::move(name), task = std::move(task),
                                            signal = std::move(signal), place = std::move(place)]() mutable {
        const auto group = place->group;
        // The signal outlives the task: its place holds it in the map until then.
        start_task(group->loop, std::move(name), std::move(task), std::move(place), signal->slot());
        if (group->cancelled) signal->emit(asio::cancellation_type::terminal);
    });
}

void TaskGroup::cancel_all() {
    impl_->cancelled = true;
    std::vector<std::shared_ptr<asio::cancellation_signal>> signals;
    for (const auto& [id, signal] : impl_->tasks) signals.push_back(signal);
    for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
}

Task<> TaskGroup::drained() {
    return drain(impl_);
}

std::size_t TaskGroup::size() const {
    return impl_->tasks.size();
}

}  // namespace net
