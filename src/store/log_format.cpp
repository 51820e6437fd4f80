// SPDX-License-Identifier: Apache-2.0
#include "store/log_format.hpp"

#include <bit>
#include <boost/crc.hpp>
#include <cstring>

namespace store::log_format {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::string_view magic = "SPSEGLOG";
constexpr std::size_t checksum_size = 4;

/// CRC-32C (Castagnoli), as iSCSI and ext4 use it.
std::uint32_t crc32c(std::span<const std::byte> bytes) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

template <class T>
void put(std::span<std::byte> out, std::size_t at, T value) {
    std::memcpy(out.data() + at, &value, sizeof value);
}

template <class T>
T get(std::span<const std::byte> in, std::size_t at) {
    T value;
    std::memcpy(&value, in.data() + at, sizeof value);
    return value;
}

}  // namespace

std::array<std::byte, file_header_size> file_header(std::uint64_t first) {
    std::array<std::byte, file_header_size> out{};
    std::memcpy(out.data(), magic.data(), magic.size());
    put(out, 8, version);
    put(out, 12, first);
    put(out, 20, crc32c(std::span(out).first(20)));
    return out;
}

base::Result<std::uint64_t> read_file_header(std::span<const std::byte> header, const std::string& thing) {
    if (header.size() < file_header_size || base::as_text(header.first(magic.size())) != magic)
        return base::fail(base::Code::malformed, thing, "is damaged at byte 0: no segment of a log",
                          "restore it from a backup, or move the log's directory away");
    if (const auto found = get<std::uint32_t>(header, 8); found != version)
        return base::fail(base::Code::unsupported, thing, "has version " + std::to_string(found),
                          "run the sallyport that wrote it");
    if (get<std::uint32_t>(header, 20) != crc32c(header.first(20)))
        return base::fail(base::Code::malformed, thing, "is damaged at byte 0: wrong checksum of the header",
                          "restore it from a backup, or move the log's directory away");
    return get<std::uint64_t>(header, 12);
}

void add_record(base::Bytes& out, std::uint64_t group, std::span<const std::byte> payload) {
    const auto at = out.size();
    out.resize(at + record_header_size);
    out.insert(out.end(), payload.begin(), payload.end());
    const auto record = std::span(out).subspan(at);
    put(record, 4, static_cast<std::uint32_t>(payload.size()));
    put(record, 8, group);
    put(record, 0, crc32c(record.subspan(checksum_size)));
}

RecordHeader read_record_header(std::span<const std::byte> header) {
    return {get<std::uint32_t>(header, 0), get<std::uint32_t>(header, 4), get<std::uint64_t>(header, 8)};
}

bool is_whole(std::span<const std::byte> record) {
    const auto header = read_record_header(record);
    return record.size() == record_header_size + header.length &&
           crc32c(record.subspan(checksum_size)) == header.checksum;
}

bool later_group_follows(std::span<const std::byte> rest, std::uint64_t offset) {
    const auto most = rest.size() / record_header_size;
    for (std::size_t at = 1; at + record_header_size <= rest.size(); ++at) {
        const auto header = read_record_header(rest.subspan(at));
        const bool plausible = header.group > offset && header.group - offset <= most &&
                               header.length <= rest.size() - at - record_header_size;
        if (plausible && is_whole(rest.subspan(at, record_header_size + header.length))) return true;
    }
    return false;
}

}  // namespace store::log_format
