// SPDX-License-Identifier: Apache-2.0
#include "net/timer.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/impl.hpp"

namespace net {

namespace asio = boost::asio;

namespace {

/// A clock that runs fast or slow is looked at again, and no duration grows too large to count.
constexpr std::chrono::hours longest_wait{24};

}  // namespace

std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::milliseconds(0));
}

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
        if (look_again_ || std::chrono::steady_clock::now() >= deadline) co_return Woken::timeout;
        timer_.expires_at(deadline);
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await timer_.async_wait(token);
    }
}

Task<Woken> Waiter::wait_until(base::Instant when, const base::Clock& clock) {
    const ClockWatch watch([this] {
        look_again_ = true;
        timer_.cancel();
    });
    for (;;) {
        look_again_ = false;
        // In whole seconds: the furthest moment does not fit in milliseconds.
        const auto now = clock.now();
        const bool due = now >= when;
        const base::Instant next = std::min<base::Instant>(when, now + longest_wait);
        SteadyTime deadline = std::chrono::steady_clock::now();
        if (!due) deadline += next - clock.now_ms();
        const Woken end = co_await wait(deadline);
        if (end != Woken::timeout || (due && !look_again_)) co_return end;
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

Task<bool> wait_for_moment(std::shared_ptr<void> keep, Waiter& waiter, base::Instant when,
                           const base::Clock& clock) {
    const Woken end = co_await waiter.wait_until(when, clock);
    keep.reset();
    co_return end == Woken::woken;
}

}  // namespace

Event::Event() : impl_(std::make_shared<Impl>()) {}
Event::~Event() = default;

Task<bool> Event::wait(std::chrono::milliseconds limit) {
    return wait_for(impl_, impl_->waiter, limit);
}

Task<bool> Event::wait_until(base::Instant when, const base::Clock& clock) {
    return wait_for_moment(impl_, impl_->waiter, when, clock);
}

void Event::notify() {
    impl_->waiter.wake();
}

}  // namespace net
