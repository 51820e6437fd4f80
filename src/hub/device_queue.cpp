// SPDX-License-Identifier: Apache-2.0
#include "hub/device_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/result.hpp"
#include "hub/queue_schema.hpp"

namespace hub {

namespace {

constexpr std::chrono::seconds feedback_lock{60};

base::Result<bool> settled(base::Status status) {
    if (!status) return std::unexpected(std::move(status).error());
    return true;
}

/// Each device once.
void simplify(std::vector<std::string>& devices) {
    std::ranges::sort(devices);
    const auto [first, last] = std::ranges::unique(devices);
    devices.erase(first, last);
}

}  // namespace

azure::ErrorCode queue_code(const base::Error& error) {
    if (error.code == base::Code::rate_limited) return azure::ErrorCode::device_queue_full;
    if (error.code == base::Code::precondition_failed) return azure::ErrorCode::device_message_lock_lost;
    return azure::from(error.code);
}

base::Result<std::unique_ptr<DeviceQueue>> DeviceQueue::open(const std::filesystem::path& file,
                                                             const base::Clock& clock, int most_abandoned) {
    SP_TRY(return, auto database,
                 store::Database::open(file, store::Database::Access::read_write, queue_migrations()));
    std::unique_ptr<DeviceQueue> queue(new DeviceQueue(clock, most_abandoned));
    if (auto loaded = queue->load(*database); !loaded) return std::unexpected(std::move(loaded).error());
    queue->writer_ = std::make_unique<store::Writer>(std::move(database));
    return queue;
}

base::Status DeviceQueue::load(store::Database& database) {
    auto freed = database.transaction([&] { return queue_rows::release_all(database); });
    if (!freed) return freed;
    auto rows = database.statement("SELECT device, count(*) FROM messages GROUP BY device");
    for (;;) {
        SP_TRY(return, const bool there, rows.step());
        if (!there) break;
        counts_[rows.text(0)] = static_cast<std::size_t>(rows.integer(1));
    }
    SP_TRY(return, feedback_, feedback_rows::is_there(database));
    return {};
}

template <class T>
void DeviceQueue::submit(std::function<base::Result<T>(store::Database&, Effects&)> work, Done<T> done) {
    struct Job {
        Effects effects;
        std::vector<std::size_t> counts;
        std::optional<T> value;
    };
    auto job = std::make_shared<Job>();
    writer_->submit(
        [job, work = std::move(work)](store::Database& database) -> base::Status {
            auto result = work(database, job->effects);
            if (!result) return std::unexpected(std::move(result).error());
            simplify(job->effects.changed);
            simplify(job->effects.ready);
            for (const auto& device : job->effects.changed) {
                SP_TRY(return, const auto count, queue_rows::count(database, device));
                job->counts.push_back(count);
            }
            job->value = *std::move(result);
            return {};
        },
        [this, job, done = std::move(done)](base::Status status) {
            if (!status) {
                if (done) done(std::unexpected(std::move(status).error()));
                return;
            }
            const bool was_idle = !needs_sweep();
            apply(job->effects, job->counts);
            if (done) done(*std::move(job->value));
            announce(job->effects, was_idle);
        });
}

void DeviceQueue::apply(const Effects& effects, const std::vector<std::size_t>& counts) {
    if (effects.feedback_added) feedback_ = true;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0)
            counts_.erase(effects.changed[i]);
        else
            counts_[effects.changed[i]] = counts[i];
    }
}

void DeviceQueue::announce(const Effects& effects, bool was_idle) {
    if (observers_.ready)
        for (const auto& device : effects.ready) observers_.ready(device);
    if (effects.feedback_ready && observers_.feedback_ready) observers_.feedback_ready();
    if (was_idle && needs_sweep() && observers_.busy) observers_.busy();
}

void DeviceQueue::enqueue(Address to, azure::CloudMessage message, Done<std::uint64_t> done) {
    submit<std::uint64_t>(
        [to = std::move(to), message = std::move(message), now = clock_.now_ms()](store::Database& database,
                                                                                  Effects& effects) {
            return queue_rows::add(database, to, message, now, effects);
        },
        std::move(done));
}

void DeviceQueue::receive(Address from, std::chrono::seconds lock, Done<std::optional<Held>> done) {
    if (count(from.device) == 0) return done(std::optional<Held>());
    submit<std::optional<Held>>(
        [this, from = std::move(from), lock](store::Database& database,
                                             Effects&) -> base::Result<std::optional<Held>> {
            const auto now = clock_.now_ms();
            SP_TRY(return, auto taken, queue_rows::take(database, from, {0, now + lock}, 1, now));
            if (taken.empty()) return std::nullopt;
            return std::move(taken.front());
        },
        std::move(done));
}

void DeviceQueue::hold(Address from, std::int64_t holder, std::size_t most, Done<std::vector<Held>> done) {
    submit<std::vector<Held>>(
        [this, from = std::move(from), holder, most](store::Database& database, Effects&) {
            return queue_rows::take(database, from, {holder, {}}, most, clock_.now_ms());
        },
        std::move(done));
}

void DeviceQueue::settle(std::string device, std::string lock_token, Settlement how, Done<bool> done) {
    submit<bool>(
        [this, device = std::move(device), lock_token = std::move(lock_token), how, now = clock_.now_ms()](
            store::Database& database, Effects& effects) {
            return settled(
                queue_rows::settle(database, device, lock_token, how, most_abandoned_, now, effects));
        },
        std::move(done));
}

void DeviceQueue::release(std::string device, std::int64_t holder) {
    submit<bool>(
        [device = std::move(device), holder](store::Database& database, Effects& effects) {
            return settled(queue_rows::release(database, device, holder, effects));
        },
        {});
}

void DeviceQueue::purge(Address of, Done<std::size_t> done) {
    submit<std::size_t>(
        [of = std::move(of), now = clock_.now_ms()](store::Database& database, Effects& effects) {
            return queue_rows::purge(database, of, now, effects);
        },
        std::move(done));
}

void DeviceQueue::forget(std::string device) {
    submit<bool>(
        [device = std::move(device)](store::Database& database, Effects& effects) {
            return settled(queue_rows::forget(database, device, effects));
        },
        {});
}

std::size_t DeviceQueue::count(const std::string& device) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(device);
    return found == counts_.end() ? 0 : found->second;
}

void DeviceQueue::receive_feedback(Done<std::optional<feedback_rows::Batch>> done) {
    using Found = std::optional<feedback_rows::Batch>;
    submit<Found>(
        [this](store::Database& database, Effects&) -> base::Result<Found> {
            const auto now = clock_.now_ms();
            if (auto gathered = feedback_rows::gather(database, now); !gathered)
                return std::unexpected(std::move(gathered).error());
            return feedback_rows::take(database, now, now + feedback_lock);
        },
        std::move(done));
}

void DeviceQueue::settle_feedback(std::string lock_token, feedback_rows::Settlement how, Done<bool> done) {
    submit<bool>(
        [lock_token = std::move(lock_token), how, now = clock_.now_ms()](store::Database& database,
                                                                         Effects& effects) {
            effects.feedback_ready = how == feedback_rows::Settlement::abandon;
            return settled(feedback_rows::settle(database, lock_token, how, now));
        },
        std::move(done));
}

void DeviceQueue::sweep(Done<bool> done) {
    submit<bool>(
        [this](store::Database& database, Effects& effects) -> base::Result<bool> {
            const auto now = clock_.now_ms();
            if (auto ended = queue_rows::expire(database, now, effects); !ended)
                return std::unexpected(std::move(ended).error());
            SP_TRY(return, effects.feedback_ready, feedback_rows::gather(database, now));
            // Whatever is added after this is said by its own job.
            SP_TRY(return, feedback_, feedback_rows::is_there(database));
            return true;
        },
        std::move(done));
}

bool DeviceQueue::needs_sweep() const {
    if (feedback_) return true;
    const std::lock_guard lock(mutex_);
    return !counts_.empty();
}

}  // namespace hub
