// SPDX-License-Identifier: Apache-2.0
#include <exception>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/events.hpp"
#include "base/log.hpp"
#include "net/impl.hpp"

namespace net {

namespace {

namespace asio = boost::asio;

/// One running task in the count of its process, whichever way it ends.
class Counted {
  public:
    explicit Counted(std::shared_ptr<Running> running) : running_(std::move(running)) { ++running_->tasks; }
    ~Counted() {
        if (--running_->tasks == 0 && running_->stopping && running_->on_idle) running_->on_idle();
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    std::shared_ptr<Running> running_;
};

void log_escaped(const std::string& name, const std::exception_ptr& escaped) {
    std::string what = "ended with an unknown exception";
    try {
        std::rethrow_exception(escaped);
    } catch (const std::exception& error) {
        what = std::string("ended with an exception: ") + error.what();
    } catch (...) {
    }
    base::log::error(base::events::task_failed, base::Error{base::Code::internal, "task " + name, what, {}});
}

/// Cancellation is a value here, never an exception: every wait of ours looks at the state itself.
Task<> run(Task<> task) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await std::move(task);
}

}  // namespace

void start_task(Loop& loop, std::string name, Task<> task, std::shared_ptr<void> ticket,
                asio::cancellation_slot slot) {
    auto counted = std::make_shared<Counted>(loop.impl().running);
    auto ended = [name = std::move(name), counted = std::move(counted),
                  ticket = std::move(ticket)](const std::exception_ptr& escaped) {
        if (escaped) log_escaped(name, escaped);
    };
    const auto executor = loop.impl().context.get_executor();
    if (slot.is_connected()) {
        asio::co_spawn(executor, run(std::move(task)), asio::bind_cancellation_slot(slot, std::move(ended)));
    } else {
        asio::co_spawn(executor, run(std::move(task)), std::move(ended));
    }
}

}  // namespace net
