// SPDX-License-Identifier: Apache-2.0
#include "ca/workers.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace ca {
namespace {

constexpr std::size_t most_jobs = 256;

}  // namespace

struct Workers::Impl {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> waiting;
    bool ending = false;
    std::vector<std::thread> threads;

    void work() {
        for (;;) {
            std::function<void()> job;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return ending || !waiting.empty(); });
                if (waiting.empty()) return;
                job = std::move(waiting.front());
                waiting.pop_front();
            }
            job();
        }
    }
};

Workers::Workers(std::size_t threads) : impl_(std::make_unique<Impl>()) {
    for (std::size_t i = 0; i < threads; ++i)
        impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
}

Workers::~Workers() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->wake.notify_all();
    for (auto& thread : impl_->threads) thread.join();
}

bool Workers::submit(std::function<void()> job) {
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->ending || impl_->waiting.size() >= most_jobs) return false;
        impl_->waiting.push_back(std::move(job));
    }
    impl_->wake.notify_one();
    return true;
}

}  // namespace ca
