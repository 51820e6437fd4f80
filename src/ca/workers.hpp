// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "net/completion.hpp"
#include "net/task.hpp"

namespace ca {

/// Threads beside the event loops for what takes tens of milliseconds: password hashes, RSA keys.
class Workers {
  public:
    explicit Workers(std::size_t threads);
    ~Workers();  ///< finishes what waits
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    /// False where too much waits already. From any thread.
    bool submit(std::function<void()> job);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Runs `work` beside the loops and waits for it; `busy` where too much waits already.
template <class T>
net::Task<T> run_beside(Workers& workers, std::function<T()> work, T busy) {
    const auto start = [&](std::function<void(T)> done) {
        const bool accepted = workers.submit([work, done] { done(work()); });
        if (!accepted) done(busy);
    };
    auto result = co_await net::await_callback<T>(start);
    co_return result;
}

}  // namespace ca
