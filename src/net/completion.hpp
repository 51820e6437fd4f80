// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "net/task.hpp"

namespace net {

/// The bridge from a callback on another thread back to the task that waits on its loop.
class Completion {
  public:
    Completion();  ///< on the loop that will wait
    /// From any thread, once.
    void complete() const;
    /// Resumes on the loop where this was made.
    Task<> wait() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

/// Starts an operation that reports through a callback and waits for it:
/// `auto device = co_await net::await_callback<base::Result<Device>>([&](auto done) { registry.create(wish,
/// done); });`
template <class T, class Start>
Task<T> await_callback(Start start) {
    auto result = std::make_shared<std::optional<T>>();
    const Completion completion;
    start([result, completion](T value) {
        result->emplace(std::move(value));
        completion.complete();
    });
    co_await completion.wait();
    co_return std::move(**result);
}

}  // namespace net
