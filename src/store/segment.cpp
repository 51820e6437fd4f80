// SPDX-License-Identifier: Apache-2.0
#include "store/segment.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "store/log_format.hpp"
#include "store/record_cursor.hpp"

namespace store {
namespace {

constexpr std::uint64_t mark_distance = 64 * 1024;

base::Status write_whole(const FileCalls& calls, int descriptor, std::span<const std::byte> bytes,
                         std::uint64_t position, const std::string& thing) {
    while (!bytes.empty()) {
        const auto put = calls.write_at(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(position));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return base::fail_errno(put < 0 ? errno : EIO, thing, "written");
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        position += static_cast<std::uint64_t>(put);
    }
    return {};
}

base::Status sync(const FileCalls& calls, int descriptor, const std::string& thing) {
    if (calls.sync(descriptor) == 0) return {};
    return base::fail_errno(errno, thing, "synced to disk");
}

/// A segment appears under its name whole, or not at all.
base::Status write_new_file(int descriptor, const std::filesystem::path& temporary,
                            const std::filesystem::path& file, std::uint64_t first, const FileCalls& calls) {
    const auto thing = "log " + file.string();
    const auto header = log_format::file_header(first);
    if (auto put = write_whole(calls, descriptor, header, 0, thing); !put) return put;
    if (auto synced = sync(calls, descriptor, thing); !synced) return synced;
    if (calls.rename(temporary.c_str(), file.c_str()) != 0) return base::fail_errno(errno, thing, "named");
    return calls.sync_directory(file.parent_path());
}

}  // namespace

std::string Segment::file_name(std::uint64_t first) {
    auto digits = std::to_string(first);
    return std::string(20 - digits.size(), '0') + digits + ".log";
}

Segment::Segment(std::filesystem::path file, int descriptor, std::uint64_t first, std::uint64_t size,
                 const FileCalls& calls)
    : file_(std::move(file)), descriptor_(descriptor), first_(first), size_(size), calls_(calls) {}

Segment::~Segment() {
    ::close(descriptor_);
}

base::Result<std::shared_ptr<Segment>> Segment::create(const std::filesystem::path& directory,
                                                       std::uint64_t first, const FileCalls& calls) {
    const auto file = directory / file_name(first);
    auto temporary = file;
    temporary += ".tmp";
    const int descriptor =
        ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, base::secret_mode);
    if (descriptor < 0) return base::fail_errno(errno, "log " + file.string(), "made");
    auto segment =
        std::shared_ptr<Segment>(new Segment(file, descriptor, first, log_format::file_header_size, calls));
    if (auto made = write_new_file(descriptor, temporary, file, first, calls); !made)
        return std::unexpected(made.error());
    segment->indexed_ = true;
    segment->marks_.push_back({first, log_format::file_header_size});
    return segment;
}

base::Result<std::shared_ptr<Segment>> Segment::open(const std::filesystem::path& file,
                                                     const FileCalls& calls) {
    const auto thing = "log " + file.string();
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return base::fail_errno(errno, thing, "opened");
    auto segment = std::shared_ptr<Segment>(new Segment(file, descriptor, 0, 0, calls));
    struct stat about{};
    if (::fstat(descriptor, &about) != 0) return base::fail_errno(errno, thing, "looked at");
    base::Bytes header(
        std::min<std::uint64_t>(log_format::file_header_size, static_cast<std::uint64_t>(about.st_size)));
    if (!read_whole(descriptor, header, 0)) return base::fail_errno(errno, thing, "read");
    SP_TRY(return, segment->first_, log_format::read_file_header(header, thing));
    if (file.filename() != file_name(segment->first_))
        return base::fail(base::Code::malformed, thing,
                          "begins with record " + std::to_string(segment->first_) + ", against its name",
                          "give it its name back");
    segment->size_ = static_cast<std::uint64_t>(about.st_size);
    return segment;
}

std::unexpected<base::Error> Segment::damaged(std::uint64_t position) const {
    return base::fail(base::Code::malformed, thing(), "is damaged at byte " + std::to_string(position),
                      "restore it from a backup, or move it and the later files away");
}

void Segment::mark(std::uint64_t offset, std::uint64_t position) {
    if (marks_.empty() || position - marks_.back().position >= mark_distance)
        marks_.push_back({offset, position});
}

Segment::Mark Segment::mark_before(std::uint64_t offset) const {
    const std::lock_guard lock(mutex_);
    const auto behind =
        std::upper_bound(marks_.begin(), marks_.end(), offset,
                         [](std::uint64_t wanted, const Mark& one) { return wanted < one.offset; });
    return behind == marks_.begin() ? Mark{first_, log_format::file_header_size} : *std::prev(behind);
}

/// Reads all good records; the offset behind the last, and in `position` where it ends.
base::Result<std::uint64_t> Segment::scan(std::uint64_t& position) {
    RecordCursor cursor(descriptor_, log_format::file_header_size, size_);
    auto offset = first_;
    marks_.clear();
    while (true) {
        position = cursor.position();
        const auto found = cursor.next();
        if (found == RecordCursor::Found::unreadable)
            return base::fail_errno(errno == 0 ? EIO : errno, thing(), "read");
        if (found != RecordCursor::Found::record || cursor.group() > offset || cursor.group() < first_)
            return offset;
        mark(offset++, position);
    }
}

base::Status Segment::cut(std::uint64_t position) {
    if (calls_.truncate(descriptor_, static_cast<off_t>(position)) != 0)
        return base::fail_errno(errno, thing(), "cut");
    return sync(calls_, descriptor_, thing());
}

base::Result<std::uint64_t> Segment::recover() {
    const std::lock_guard lock(mutex_);
    std::uint64_t position = 0;
    SP_TRY(return, const auto next, scan(position));
    if (position != size_) {
        base::Bytes rest(size_ - position);
        if (!read_whole(descriptor_, rest, position))
            return base::fail_errno(errno == 0 ? EIO : errno, thing(), "read");
        if (log_format::later_group_follows(rest, next)) return damaged(position);
        if (auto done = cut(position); !done) return std::unexpected(done.error());
        base::log::warning(base::events::log_tail_cut, {{"file", file_.string()},
                                                        {"at", std::to_string(position)},
                                                        {"octets", std::to_string(rest.size())}});
        size_ = position;
    }
    indexed_ = true;
    return next;
}

base::Status Segment::index(std::uint64_t next) {
    const std::lock_guard lock(mutex_);
    if (indexed_) return {};
    std::uint64_t position = 0;
    SP_TRY(return, const auto end, scan(position));
    if (position != size_ || end != next) return damaged(position);
    indexed_ = true;
    return {};
}

base::Status Segment::append(std::span<const base::Bytes* const> records, std::uint64_t next) {
    // What a failed write left must go first, or it would stand before good records and count as damage.
    if (torn_)
        if (auto done = cut(size_); !done) return done;
    torn_ = true;
    buffer_.clear();
    std::vector<Mark> starts;
    for (const auto* record : records) {
        starts.push_back({next + starts.size(), size_ + buffer_.size()});
        log_format::add_record(buffer_, next, *record);
    }
    auto done = write_whole(calls_, descriptor_, buffer_, size_, thing());
    if (done) done = sync(calls_, descriptor_, thing());
    if (!done) {
        if (cut(size_)) torn_ = false;
        return done;
    }
    torn_ = false;
    size_ += buffer_.size();
    const std::lock_guard lock(mutex_);
    for (const auto& start : starts) mark(start.offset, start.position);
    return {};
}

base::Status Segment::read(std::uint64_t from, std::uint64_t limit, std::size_t most, std::size_t bytes,
                           std::vector<SegmentLog::Entry>& into) const {
    std::size_t used = 0;
    for (const auto& entry : into) used += entry.record.size();
    const auto start = mark_before(from);
    RecordCursor cursor(descriptor_, start.position, size_);
    for (auto offset = start.offset; offset < limit && into.size() < most; ++offset) {
        const auto found = cursor.next();
        if (found == RecordCursor::Found::unreadable)
            return base::fail_errno(errno == 0 ? EIO : errno, thing(), "read");
        if (found != RecordCursor::Found::record) return damaged(cursor.position());
        if (offset < from) continue;
        if (!into.empty() && used + cursor.payload().size() > bytes) return {};
        used += cursor.payload().size();
        into.push_back({offset, base::Bytes(cursor.payload().begin(), cursor.payload().end())});
    }
    return {};
}

}  // namespace store
