// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/events.hpp"
#include "base/log.hpp"
#include "net/impl.hpp"
#include "net/socket.hpp"

namespace net {

namespace asio = boost::asio;

/// running: serves. stopping: on_stop was called, tasks are awaited. ended: the loops were told to return.
enum class Phase { running, stopping, ended };

struct Loops::Impl {
    std::shared_ptr<Running> running = std::make_shared<Running>();
    std::vector<std::unique_ptr<Loop>> loops;
    std::function<void()> on_stop;
    std::chrono::seconds grace{};
    Phase phase = Phase::running;  // on loop 0
    std::unique_ptr<asio::signal_set> signals;
    std::unique_ptr<Timer> grace_timer;

    void await_signal();
    void begin_stop();
    void confirm_idle(std::size_t position);
    void end();
};

void Loops::Impl::await_signal() {
    signals->async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        if (phase == Phase::stopping) {
            base::log::warning(base::events::role_stopped, {{"reason", "second signal"}});
            end();
            return;
        }
        base::log::info(base::events::role_stopping, {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
        begin_stop();
        await_signal();
    });
}

void Loops::Impl::begin_stop() {
    if (phase != Phase::running) return;
    phase = Phase::stopping;
    grace_timer = std::make_unique<Timer>(loops[0]->impl().context, grace);
    grace_timer->async_wait([this](const boost::system::error_code& error) {
        if (error || phase != Phase::stopping) return;
        base::log::warning(base::events::role_stopped, {{"reason", "tasks did not end within the grace time"},
                                                        {"tasks", std::to_string(running->tasks.load())}});
        end();
    });
    if (on_stop) on_stop();
    for (auto& loop : loops) {
        loop->post([&impl = loop->impl()] {
            impl.stopping = true;
            const auto parked = impl.parked;
            for (Socket* socket : parked) socket->unpark();
        });
    }
    running->stopping = true;
    confirm_idle(0);
}

/// Passes once through all loops, so that work posted before is done, then looks whether a task is left.
/// Where one is, the end of the last one starts this again.
void Loops::Impl::confirm_idle(std::size_t position) {
    if (position < loops.size()) {
        loops[position]->post([this, position] { confirm_idle(position + 1); });
        return;
    }
    loops[0]->post([this] {
        if (phase == Phase::stopping && running->tasks == 0) end();
    });
}

void Loops::Impl::end() {
    phase = Phase::ended;
    for (auto& loop : loops) loop->impl().context.stop();
}

Loops::Loops(std::size_t count) : impl_(std::make_unique<Impl>()) {
    if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
    for (std::size_t index = 0; index < count; ++index) {
        impl_->loops.push_back(std::make_unique<Loop>(std::make_unique<Loop::Impl>(index, impl_->running)));
    }
    impl_->running->on_idle = [impl = impl_.get()] { impl->confirm_idle(0); };
}

Loops::~Loops() {
    for (auto& loop : impl_->loops) loop->impl().destroy_pending(*loop);
}

std::size_t Loops::size() const {
    return impl_->loops.size();
}

Loop& Loops::at(std::size_t index) {
    return *impl_->loops.at(index);
}

void Loops::run(std::function<void()> on_stop, std::chrono::seconds grace) {
    impl_->on_stop = std::move(on_stop);
    impl_->grace = grace;
    impl_->signals = std::make_unique<asio::signal_set>(impl_->loops[0]->impl().context, SIGINT, SIGTERM);
    impl_->await_signal();
    {
        std::vector<std::jthread> threads;
        for (auto& loop : impl_->loops) {
            if (loop->index() > 0) threads.emplace_back([&loop] { loop->impl().run(*loop); });
        }
        impl_->loops[0]->impl().run(*impl_->loops[0]);
    }
    for (auto& loop : impl_->loops) loop->impl().destroy_pending(*loop);
    impl_->grace_timer.reset();
    impl_->signals.reset();
}

void Loops::stop() {
    impl_->loops[0]->post([impl = impl_.get()] { impl->begin_stop(); });
}

}  // namespace net
