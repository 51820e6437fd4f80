// SPDX-License-Identifier: Apache-2.0
#include "net/completion.hpp"

#include "net/impl.hpp"

namespace net {

struct Completion::Impl {
    Loop& loop = this_loop();
    Waiter waiter{loop.impl().context};
};

namespace {

Task<> wait_for(std::shared_ptr<void> keep, Waiter& waiter) {
    co_await waiter.wait_always();
    keep.reset();
}

}  // namespace

Completion::Completion() : impl_(std::make_shared<Impl>()) {}

void Completion::complete() const {
    impl_->loop.post([impl = impl_] { impl->waiter.wake(); });
}

Task<> Completion::wait() const {
    return wait_for(impl_, impl_->waiter);
}

}  // namespace net
