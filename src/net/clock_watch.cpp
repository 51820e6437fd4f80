// SPDX-License-Identifier: Apache-2.0
#include "net/clock_watch.hpp"

#include <vector>

#include "net/impl.hpp"

namespace net {

namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds between_looks{5};
/// What NTP slews a clock by meanwhile is less.
constexpr milliseconds least_step{1000};

/// Also grows where the machine slept: the steady clock stands still then.
milliseconds ahead_of_steady() {
    const auto machine = std::chrono::system_clock::now().time_since_epoch();
    const auto steady = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::floor<milliseconds>(machine - steady);
}

}  // namespace

ClockWatch::ClockWatch(std::function<void()> was_set) : loop_(this_loop()), was_set_(std::move(was_set)) {
    loop_.impl().clock_watches.add(this);
}

ClockWatch::~ClockWatch() {
    loop_.impl().clock_watches.remove(this);
}

void ClockWatches::add(ClockWatch* watch) {
    watches_.insert(watch);
    if (looking_) return;
    looking_ = true;
    ahead_ = ahead_of_steady();
    look_later();
}

void ClockWatches::look_later() {
    timer_.expires_after(between_looks);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) look();
    });
}

void ClockWatches::look() {
    if (watches_.empty()) {
        looking_ = false;
        return;
    }
    const auto ahead = ahead_of_steady();
    if (std::chrono::abs(ahead - ahead_) >= least_step) {
        ahead_ = ahead;
        call_all();
    }
    look_later();
}

void ClockWatches::call_all() {
    // A call may end other watches, and its own.
    const std::vector<ClockWatch*> all(watches_.begin(), watches_.end());
    for (ClockWatch* watch : all) {
        if (!watches_.contains(watch)) continue;
        const auto was_set = watch->was_set_;
        was_set();
    }
}

AllLoops& AllLoops::instance() {
    static AllLoops loops;
    return loops;
}

void AllLoops::add(Loop* loop) {
    const std::lock_guard lock(mutex_);
    loops_.insert(loop);
}

void AllLoops::remove(Loop* loop) {
    const std::lock_guard lock(mutex_);
    loops_.erase(loop);
}

void AllLoops::post_to_each(const std::function<void(Loop::Impl&)>& work) {
    const std::lock_guard lock(mutex_);
    for (Loop* loop : loops_) loop->post([work, &impl = loop->impl()] { work(impl); });
}

void clock_was_set() {
    AllLoops::instance().post_to_each([](Loop::Impl& impl) { impl.clock_watches.call_all(); });
}

Task<bool> sleep_until(base::Instant when, const base::Clock& clock) {
    Waiter waiter(this_loop().impl().context);
    const Woken end = co_await waiter.wait_until(when, clock);
    co_return end == Woken::timeout;
}

Task<bool> sleep_until_or_set(base::Instant when, const base::Clock& clock) {
    Waiter waiter(this_loop().impl().context);
    const ClockWatch watch([&waiter] { waiter.wake(); });
    const Woken end = co_await waiter.wait_until(when, clock);
    co_return end != Woken::cancelled;
}

}  // namespace net
