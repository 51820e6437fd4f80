// SPDX-License-Identifier: Apache-2.0
#include "store/segment_log.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/file.hpp"
#include "base/result.hpp"
#include "store/segment.hpp"

namespace store {
namespace {

// Bounds of a group, so that the first of it does not wait for ever under load.
constexpr std::size_t most_in_group = 4096;
constexpr std::size_t largest_group = 8 * 1024 * 1024;

struct Pending {
    base::Bytes record;
    std::function<void(base::Result<std::uint64_t>)> done;
};

/// The names of the segments in order; what a crash left half made is removed.
base::Result<std::vector<std::filesystem::path>> list_segments(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    std::error_code problem;
    for (std::filesystem::directory_iterator at(directory, problem), end; !problem && at != end;
         at.increment(problem)) {
        std::error_code ignored;
        if (at->path().extension() == ".tmp") std::filesystem::remove(at->path(), ignored);
        if (at->path().extension() == ".log") files.push_back(at->path());
    }
    if (problem)
        return base::fail(base::Code::io, "log directory " + directory.string(),
                          "could not be read: " + problem.message());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

struct SegmentLog::Impl {
    std::filesystem::path directory;
    Options options;

    mutable std::mutex mutex;
    std::condition_variable wake;
    std::deque<Pending> waiting;
    std::size_t waiting_bytes = 0;
    std::vector<std::function<void(base::Status)>> ends_wanted;  ///< of the segment that is written to
    bool ending = false;
    std::vector<std::shared_ptr<Segment>> segments;  ///< in order; the last one is written to
    std::uint64_t next = 0;
    std::function<void(std::uint64_t)> observer;
    std::thread thread;

    base::Status open_segments();
    struct Work {
        std::vector<Pending> group;
        std::vector<std::function<void(base::Status)>> ends_wanted;
    };
    Work next_work();
    base::Result<std::shared_ptr<Segment>> add_segment();
    base::Status start_segment();
    base::Result<std::shared_ptr<Segment>> segment_to_write();
    base::Status write(std::span<const base::Bytes* const> records);
    void settle(std::vector<Pending> group);
    void write_until_end();
    /// The segment that holds `offset`, and the offset behind its last durable record.
    std::pair<std::shared_ptr<Segment>, std::uint64_t> find(std::uint64_t offset) const;
};

base::Status SegmentLog::Impl::open_segments() {
    SP_TRY(return, const auto files, list_segments(directory));
    for (const auto& file : files) {
        SP_TRY(return, auto segment, Segment::open(file, options.calls));
        segments.push_back(std::move(segment));
    }
    if (segments.empty()) return {};
    SP_TRY(return, next, segments.back()->recover());
    return {};
}

SegmentLog::Impl::Work SegmentLog::Impl::next_work() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return ending || !waiting.empty() || !ends_wanted.empty(); });
    Work work;
    work.ends_wanted = std::exchange(ends_wanted, {});
    std::size_t size = 0;
    while (!waiting.empty() && work.group.size() < most_in_group && size < largest_group) {
        size += waiting.front().record.size();
        waiting_bytes -= waiting.front().record.size();
        work.group.push_back(std::move(waiting.front()));
        waiting.pop_front();
    }
    return work;
}

base::Result<std::shared_ptr<Segment>> SegmentLog::Impl::add_segment() {
    SP_TRY(return, auto segment, Segment::create(directory, next, options.calls));
    const std::lock_guard lock(mutex);
    segments.push_back(segment);
    return segment;
}

/// A new segment behind the last, unless that one is empty or there is none.
base::Status SegmentLog::Impl::start_segment() {
    {
        const std::lock_guard lock(mutex);
        if (segments.empty() || segments.back()->first() == next) return {};
    }
    if (auto made = add_segment(); !made) return std::unexpected(std::move(made).error());
    return {};
}

base::Result<std::shared_ptr<Segment>> SegmentLog::Impl::segment_to_write() {
    {
        const std::lock_guard lock(mutex);
        if (!segments.empty() && segments.back()->size() < options.segment_bytes) return segments.back();
    }
    return add_segment();
}

base::Status SegmentLog::Impl::write(std::span<const base::Bytes* const> records) {
    SP_TRY(return, const auto segment, segment_to_write());
    if (auto done = segment->append(records, next); !done) return done;
    const std::lock_guard lock(mutex);
    next += records.size();
    return {};
}

void SegmentLog::Impl::settle(std::vector<Pending> group) {
    const auto fits = [this](const Pending& one) { return one.record.size() <= options.largest_record; };
    std::vector<const base::Bytes*> records;
    for (const auto& one : group)
        if (fits(one)) records.push_back(&one.record);
    auto offset = next;
    const auto written = records.empty() ? base::Status{} : write(records);
    for (auto& one : group) {
        if (!one.done) {
            if (written && fits(one)) ++offset;
        } else if (!fits(one)) {
            one.done(base::fail(base::Code::too_large, "log record",
                                "has " + std::to_string(one.record.size()) + " octets, over the limit of " +
                                    std::to_string(options.largest_record)));
        } else if (written) {
            one.done(offset++);
        } else {
            one.done(std::unexpected(written.error()));
        }
    }
    if (written && !records.empty() && observer) observer(next);
}

void SegmentLog::Impl::write_until_end() {
    while (true) {
        auto work = next_work();
        if (work.group.empty() && work.ends_wanted.empty()) return;
        if (!work.group.empty()) settle(std::move(work.group));
        if (work.ends_wanted.empty()) continue;
        const auto ended = start_segment();
        for (const auto& done : work.ends_wanted)
            if (done) done(ended);
    }
}

std::pair<std::shared_ptr<Segment>, std::uint64_t> SegmentLog::Impl::find(std::uint64_t offset) const {
    const std::lock_guard lock(mutex);
    if (segments.empty() || offset >= next) return {nullptr, next};
    const auto behind =
        std::upper_bound(segments.begin(), segments.end(), offset,
                         [](std::uint64_t wanted, const auto& one) { return wanted < one->first(); });
    const auto limit = behind == segments.end() ? next : (*behind)->first();
    return {behind == segments.begin() ? *behind : *std::prev(behind), limit};
}

SegmentLog::SegmentLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<SegmentLog>> SegmentLog::open(const std::filesystem::path& directory,
                                                           Options options) {
    if (auto made = base::make_private_directories(directory); !made) return std::unexpected(made.error());
    auto impl = std::make_unique<Impl>();
    impl->directory = directory;
    impl->options = std::move(options);
    if (auto opened = impl->open_segments(); !opened) return std::unexpected(opened.error());
    impl->thread = std::thread([raw = impl.get()] { raw->write_until_end(); });
    return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(impl)));
}

SegmentLog::~SegmentLog() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->wake.notify_one();
    impl_->thread.join();
}

void SegmentLog::append(base::Bytes record, std::function<void(base::Result<std::uint64_t>)> done) {
    {
        const std::lock_guard lock(impl_->mutex);
        const bool fits =
            impl_->waiting.empty() || impl_->waiting_bytes + record.size() <= impl_->options.largest_queue;
        if (fits) {
            impl_->waiting_bytes += record.size();
            impl_->waiting.push_back({std::move(record), std::move(done)});
            impl_->wake.notify_one();
            return;
        }
    }
    if (done) {
        done(base::fail(base::Code::rate_limited, "log " + impl_->directory.string(),
                        "is behind: the disk is slower than what comes in"));
    }
}

base::Result<std::vector<SegmentLog::Entry>> SegmentLog::read(std::uint64_t from, std::size_t most,
                                                              std::size_t bytes) const {
    std::vector<Entry> entries;
    auto at = std::max(from, first());
    while (entries.size() < most) {
        const auto [segment, limit] = impl_->find(at);
        if (!segment) break;
        if (auto ready = segment->index(limit); !ready) return std::unexpected(ready.error());
        if (auto done = segment->read(at, limit, most, bytes, entries); !done)
            return std::unexpected(done.error());
        if (entries.empty() || entries.back().offset + 1 != limit) break;
        at = limit;
    }
    return entries;
}

std::uint64_t SegmentLog::first() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->segments.empty() ? impl_->next : impl_->segments.front()->first();
}

std::uint64_t SegmentLog::next() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->next;
}

base::Status SegmentLog::remove_before(std::uint64_t offset) {
    std::vector<std::shared_ptr<Segment>> old;
    {
        const std::lock_guard lock(impl_->mutex);
        auto& segments = impl_->segments;
        while (segments.size() > 1 && segments[1]->first() <= offset) {
            old.push_back(segments.front());
            segments.erase(segments.begin());
        }
    }
    for (const auto& segment : old) {
        std::error_code problem;
        std::filesystem::remove(segment->file(), problem);
        if (problem)
            return base::fail(base::Code::io, "log " + segment->file().string(),
                              "could not be removed: " + problem.message());
    }
    return old.empty() ? base::Status{} : impl_->options.calls.sync_directory(impl_->directory);
}

std::vector<SegmentLog::SegmentSize> SegmentLog::segments() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<SegmentSize> sizes;
    sizes.reserve(impl_->segments.size());
    for (const auto& segment : impl_->segments) sizes.push_back({segment->first(), segment->size()});
    return sizes;
}

void SegmentLog::end_segment(std::function<void(base::Status)> done) {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ends_wanted.push_back(std::move(done));
    }
    impl_->wake.notify_one();
}

void SegmentLog::on_durable(std::function<void(std::uint64_t)> observer) {
    const std::lock_guard lock(impl_->mutex);
    impl_->observer = std::move(observer);
}

}  // namespace store
