// SPDX-License-Identifier: Apache-2.0
#include "hub/query_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace hub {

namespace {

constexpr std::size_t threads = 2;         // a scan is CPU and cache misses; the loops need the other cores
constexpr std::size_t most_waiting = 100;  // requests, since each has one job at a time

}  // namespace

struct QueryPool::Impl {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Job> waiting;
    bool ending = false;
    std::vector<std::unique_ptr<registry::Reader>> readers;
    std::vector<std::thread> workers;

    void work(registry::Reader& reader) {
        while (true) {
            Job job;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return ending || !waiting.empty(); });
                if (ending) return;
                job = std::move(waiting.front());
                waiting.pop_front();
            }
            job(reader);
        }
    }
};

QueryPool::QueryPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<QueryPool>> QueryPool::open(const registry::Registry& registry) {
    auto impl = std::make_unique<Impl>();
    for (std::size_t i = 0; i < threads; ++i) {
        SP_TRY(return, auto reader, registry.reader());
        impl->readers.push_back(std::move(reader));
    }
    for (const auto& reader : impl->readers)
        impl->workers.emplace_back([impl = impl.get(), reader = reader.get()] { impl->work(*reader); });
    return std::unique_ptr<QueryPool>(new QueryPool(std::move(impl)));
}

QueryPool::~QueryPool() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->wake.notify_all();
    for (auto& worker : impl_->workers) worker.join();
}

base::Status QueryPool::submit(Job job) {
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->waiting.size() >= most_waiting)
            return base::fail(base::Code::rate_limited, "query", "has too many others before it",
                              "repeat it later");
        impl_->waiting.push_back(std::move(job));
    }
    impl_->wake.notify_one();
    return {};
}

}  // namespace hub
