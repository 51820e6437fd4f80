// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/encoding.hpp"

namespace store {

/// Walks over the records of a segment file, reading it a piece at a time.
class RecordCursor {
  public:
    /// position: of a record's header. end: of what may be read.
    RecordCursor(int descriptor, std::uint64_t position, std::uint64_t end)
        : descriptor_(descriptor), position_(position), end_(end) {}

    enum class Found { record, end, damage, unreadable };
    /// unreadable: the system could not read; errno tells why.
    Found next();
    /// The record of the last next().
    std::span<const std::byte> payload() const { return payload_; }
    std::uint64_t group() const { return group_; }
    /// Behind the last good record.
    std::uint64_t position() const { return position_; }

  private:
    std::span<const std::byte> fetch(std::size_t size);

    int descriptor_;
    std::uint64_t position_;
    std::uint64_t end_;
    base::Bytes buffer_;
    std::uint64_t buffer_position_ = 0;
    std::span<const std::byte> payload_;
    std::uint64_t group_ = 0;
};

/// Fills `out` from `position` on; false where the file ends before or cannot be read (errno, 0 at the end).
bool read_whole(int descriptor, std::span<std::byte> out, std::uint64_t position);

}  // namespace store
