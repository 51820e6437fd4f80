// SPDX-License-Identifier: Apache-2.0
#include "store/record_cursor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/log_format.hpp"

namespace store {
namespace {

constexpr std::size_t piece = 128 * 1024;

}  // namespace

bool read_whole(int descriptor, std::span<std::byte> out, std::uint64_t position) {
    while (!out.empty()) {
        const auto got = ::pread(descriptor, out.data(), out.size(), static_cast<off_t>(position));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(got));
        position += static_cast<std::uint64_t>(got);
    }
    return true;
}

/// `size` octets from position_ on; empty where they could not be read.
std::span<const std::byte> RecordCursor::fetch(std::size_t size) {
    const auto held = position_ >= buffer_position_ ? position_ - buffer_position_ : buffer_.size();
    if (held > buffer_.size() || buffer_.size() - held < size) {
        buffer_.resize(std::min<std::uint64_t>(std::max(size, piece), end_ - position_));
        buffer_position_ = position_;
        if (!read_whole(descriptor_, buffer_, position_)) {
            buffer_.clear();
            return {};
        }
        return std::span(buffer_).first(size);
    }
    return std::span(buffer_).subspan(held, size);
}

RecordCursor::Found RecordCursor::next() {
    const auto left = end_ - position_;
    if (left == 0) return Found::end;
    if (left < log_format::record_header_size) return Found::damage;
    const auto start = fetch(log_format::record_header_size);
    if (start.empty()) return Found::unreadable;
    const auto header = log_format::read_record_header(start);
    if (header.length > left - log_format::record_header_size) return Found::damage;
    const auto record = fetch(log_format::record_header_size + header.length);
    if (record.empty()) return Found::unreadable;
    if (!log_format::is_whole(record)) return Found::damage;
    payload_ = record.subspan(log_format::record_header_size);
    group_ = header.group;
    position_ += record.size();
    return Found::record;
}

}  // namespace store
