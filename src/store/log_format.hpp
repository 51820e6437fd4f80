// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"

/// The bytes of a segment file (docs/reference/log-format.md). All integers are little-endian.
namespace store::log_format {

/// magic "SPSEGLOG", version, offset of the first record, checksum of these.
inline constexpr std::size_t file_header_size = 24;
/// checksum, length, offset of the first record of the group that was written at once.
inline constexpr std::size_t record_header_size = 16;
inline constexpr std::uint32_t version = 1;

std::array<std::byte, file_header_size> file_header(std::uint64_t first);
/// The offset of the first record. thing: the file, for the error (`malformed`, or `unsupported` for a later
/// version).
base::Result<std::uint64_t> read_file_header(std::span<const std::byte> header, const std::string& thing);

/// Adds header and payload to `out`.
void add_record(base::Bytes& out, std::uint64_t group, std::span<const std::byte> payload);

struct RecordHeader {
    std::uint32_t checksum;
    std::uint32_t length;
    std::uint64_t group;
};
/// header: at least record_header_size octets.
RecordHeader read_record_header(std::span<const std::byte> header);
/// record: header and payload.
bool is_whole(std::span<const std::byte> record);

/// What is left of a file from a record on that does not read, expected to be number `offset`: true where a
/// group follows that was begun later. Groups are written one after the other, so the bad record had been on
/// disk before: it is damage and no torn write.
bool later_group_follows(std::span<const std::byte> rest, std::uint64_t offset);

}  // namespace store::log_format
