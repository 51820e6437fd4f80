// SPDX-License-Identifier: Apache-2.0
#include "net/timer.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/impl.hpp"

namespace net {

namespace asio = boost::asio;

void Waiter::wake() {
    woken_ = true;
    timer_.cancel();
}

Task<Woken> Waiter::wait(SteadyTime deadline) {
    for (;;) {
        if (woken_) {
            woken_ = false;
            co_return Woken::woken;
        }
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return Woken::cancelled;
        if (std::chrono::steady_clock::now() >= deadline) co_return Woken::timeout;
        timer_.expires_at(deadline);
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await timer_.async_wait(token);
    }
}

Task<> Waiter::wait_always() {
    while (!woken_) {
        timer_.expires_at(no_deadline);
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await timer_.async_wait(token);
    }
    woken_ = false;
}

Task<bool> sleep_for(std::chrono::milliseconds duration) {
    Waiter waiter(this_loop().impl().context);
    const Woken end = co_await waiter.wait(deadline_after(duration));
    co_return end == Woken::timeout;
}

struct Event::Impl {
    Waiter waiter{this_loop().impl().context};
};

namespace {

Task<bool> wait_for(std::shared_ptr<void> keep, Waiter& waiter, std::chrono::milliseconds limit) {
    const Woken end = co_await waiter.wait(deadline_after(limit));
    keep.reset();
    co_return end == Woken::woken;
}

}  // namespace

Event::Event() : impl_(std::make_shared<Impl>()) {}
Event::~Event() = default;

Task<bool> Event::wait(std::chrono::milliseconds limit) {
    return wait_for(impl_, impl_->waiter, limit);
}

void Event::notify() {
    impl_->waiter.wake();
}

}  // namespace net
