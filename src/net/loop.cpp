// SPDX-License-Identifier: Apache-2.0
#include "net/loop.hpp"

#include <cassert>
#include <csignal>
#include <exception>
#include <optional>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "base/events.hpp"
#include "base/log.hpp"
#include "net/impl.hpp"

namespace net {

namespace {

namespace asio = boost::asio;

thread_local Loop* current = nullptr;

/// A peer that is gone (OpenSSL writes to sockets with write(2)) and a file over `ulimit -f` must be errors,
/// not the end of the process.
void turn_signals_into_errors() {
    static const bool done = [] {
        return std::signal(SIGPIPE, SIG_IGN) != SIG_ERR && std::signal(SIGXFSZ, SIG_IGN) != SIG_ERR;
    }();
    (void)done;
}

Task<> keep_exception(Task<> task, std::exception_ptr& escaped) {
    try {
        co_await std::move(task);
    } catch (...) {
        escaped = std::current_exception();
    }
}

}  // namespace

Loop& this_loop() {
    assert(current != nullptr && "this_loop() outside a loop");
    return *current;
}

CurrentLoop::CurrentLoop(Loop& loop) : before_(current) {
    current = &loop;
}
CurrentLoop::~CurrentLoop() {
    current = before_;
}

SteadyTime deadline_after(std::chrono::milliseconds limit) {
    if (limit > std::chrono::hours(24 * 365)) return no_deadline;
    return std::chrono::steady_clock::now() + limit;
}

void Loop::Impl::run(Loop& self) {
    const CurrentLoop here(self);
    const auto guard = asio::make_work_guard(context);
    while (!context.stopped()) {
        try {
            context.run();
        } catch (const std::exception& error) {
            base::log::error(base::events::task_failed,
                             base::Error{base::Code::internal,
                                         "posted function",
                                         std::string("ended with an exception: ") + error.what(),
                                         {}});
        }
    }
}

void Loop::Impl::destroy_pending(Loop& self) {
    const CurrentLoop here(self);
    context.destroy_pending();
}

Loop::Loop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
    turn_signals_into_errors();
    AllLoops::instance().add(this);
}

Loop::~Loop() {
    AllLoops::instance().remove(this);
    impl_->destroy_pending(*this);
}

void Loop::post(std::function<void()> work) {
    asio::post(impl_->context, std::move(work));
}

void Loop::spawn(std::string name, Task<> task) {
    asio::post(impl_->context, [this, name = std::move(name), task = std::move(task)]() mutable {
        start_task(*this, std::move(name), std::move(task), nullptr);
    });
}

std::size_t Loop::index() const {
    return impl_->index;
}

void run_task(Task<> task) {
    Loop loop(std::make_unique<Loop::Impl>(0, std::make_shared<Running>()));
    Context& context = loop.impl().context;
    std::exception_ptr escaped;
    std::shared_ptr<void> ticket(static_cast<void*>(&context), [&context](void*) { context.stop(); });
    context.restart();
    asio::post(context, [&loop, &escaped, task = std::move(task), ticket = std::move(ticket)]() mutable {
        start_task(loop, "main", keep_exception(std::move(task), escaped), std::move(ticket));
    });
    loop.impl().run(loop);
    if (escaped) std::rethrow_exception(escaped);
}

}  // namespace net
