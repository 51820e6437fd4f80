// SPDX-License-Identifier: Apache-2.0
#include "store/writer.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace store {
namespace {

// A group is bounded so that the first of it does not wait for ever under load.
constexpr std::size_t most_at_once = 512;

struct Job {
    std::function<base::Status(Database&)> work;
    std::function<void(base::Status)> done;
    base::Status result;
};

base::Status run(Database& database, std::string_view sql) {
    if (auto ran = database.statement(sql).run(); !ran) return std::unexpected(ran.error());
    return {};
}

base::Status guarded(Job& job, Database& database) {
    try {
        return job.work(database);
    } catch (const std::exception& bug) {
        return base::fail(base::Code::internal, "database write", std::string("threw: ") + bug.what());
    }
}

/// Undone alone where it fails. False where the failure took the whole transaction with it.
bool run_in_savepoint(Job& job, Database& database) {
    job.result = run(database, "SAVEPOINT job");
    if (!job.result) return database.in_transaction();
    job.result = guarded(job, database);
    if (!database.in_transaction()) return false;
    if (!job.result && !run(database, "ROLLBACK TO job")) return false;
    const auto released = run(database, "RELEASE job");
    if (job.result) job.result = released;
    return database.in_transaction();
}

void fail_good_ones(std::span<Job> jobs, const base::Error& why) {
    for (auto& job : jobs)
        if (job.result) job.result = std::unexpected(why);
}

void commit(std::span<Job> jobs, Database& database) {
    if (auto begun = run(database, "BEGIN IMMEDIATE"); !begun) return fail_good_ones(jobs, begun.error());
    for (auto& job : jobs) {
        if (run_in_savepoint(job, database)) continue;
        const auto why = job.result ? base::Error{base::Code::io, "database", "lost its transaction", {}}
                                    : job.result.error();
        if (database.in_transaction()) (void)run(database, "ROLLBACK");
        return fail_good_ones(jobs, why);
    }
    if (auto committed = run(database, "COMMIT"); !committed) {
        if (database.in_transaction()) (void)run(database, "ROLLBACK");
        fail_good_ones(jobs, committed.error());
    }
}

}  // namespace

struct Writer::Impl {
    std::unique_ptr<Database> database;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Job> waiting;
    bool ending = false;
    std::thread thread;

    std::vector<Job> next_group() {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return ending || !waiting.empty(); });
        std::vector<Job> group;
        while (!waiting.empty() && group.size() < most_at_once) {
            group.push_back(std::move(waiting.front()));
            waiting.pop_front();
        }
        return group;
    }

    void write_until_end() {
        while (true) {
            auto group = next_group();
            if (group.empty()) return;
            commit(group, *database);
            for (auto& job : group)
                if (job.done) job.done(std::move(job.result));
        }
    }
};

Writer::Writer(std::unique_ptr<Database> database) : impl_(std::make_unique<Impl>()) {
    impl_->database = std::move(database);
    impl_->thread = std::thread([impl = impl_.get()] { impl->write_until_end(); });
}

Writer::~Writer() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->wake.notify_one();
    impl_->thread.join();
}

void Writer::submit(std::function<base::Status(Database&)> work, std::function<void(base::Status)> done) {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->waiting.push_back({std::move(work), std::move(done), {}});
    }
    impl_->wake.notify_one();
}

}  // namespace store
