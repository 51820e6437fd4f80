// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "base/error.hpp"
#include "net/completion.hpp"
#include "registry/registry.hpp"

namespace hub {

/// Threads beside the event loops for reads of the registry that are not by key. Each job is bounded by who
/// writes it; long work is many jobs, so that others get their turn in between.
class QueryPool {
  public:
    using Job = std::function<void(registry::Reader&)>;
    /// Each thread has a reader of its own.
    static base::Result<std::unique_ptr<QueryPool>> open(const registry::Registry& registry);
    ~QueryPool();  ///< finishes what runs, drops what waits
    QueryPool(const QueryPool&) = delete;
    QueryPool& operator=(const QueryPool&) = delete;

    /// Runs the job on one of the threads. rate_limited where too many wait already. From any thread.
    base::Status submit(Job job);

  private:
    struct Impl;
    explicit QueryPool(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Runs `work` on the pool and waits for it on the calling loop.
template <class T>
net::Task<base::Result<T>> run_on(QueryPool& pool, std::function<base::Result<T>(registry::Reader&)> work) {
    const auto start = [&](std::function<void(base::Result<T>)> done) {
        const auto accepted =
            pool.submit([work = std::move(work), done](registry::Reader& reader) { done(work(reader)); });
        if (!accepted) done(std::unexpected(accepted.error()));
    };
    auto result = co_await net::await_callback<base::Result<T>>(start);
    co_return result;
}

}  // namespace hub
