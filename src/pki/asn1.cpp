// SPDX-License-Identifier: Apache-2.0
#include "pki/asn1.hpp"

#include <cassert>
#include <charconv>
#include <optional>

namespace pki::asn1 {
namespace {

void append_length(base::Bytes& out, std::size_t size) {
    if (size < 0x80) {
        out.push_back(static_cast<std::byte>(size));
        return;
    }
    int octets = 0;
    for (auto rest = size; rest != 0; rest >>= 8) ++octets;
    out.push_back(static_cast<std::byte>(0x80 | octets));
    for (int i = octets - 1; i >= 0; --i) out.push_back(static_cast<std::byte>(size >> (8 * i)));
}

void append_arc(base::Bytes& out, std::uint64_t arc) {
    int groups = 1;
    for (auto rest = arc >> 7; rest != 0; rest >>= 7) ++groups;
    for (int i = groups - 1; i >= 0; --i)
        out.push_back(static_cast<std::byte>(((arc >> (7 * i)) & 0x7f) | (i > 0 ? 0x80U : 0U)));
}

constexpr int deepest = 32;
constexpr unsigned constructed_bit = 0x20;
constexpr unsigned long_tag = 0x1f;

/// The size of the header of the element that `bytes` begins with, and of its content.
struct Extent {
    std::size_t header, content;
};
std::optional<Extent> extent_of(std::span<const std::byte> bytes) {
    std::size_t at = 1;
    if ((std::to_integer<unsigned>(bytes[0]) & long_tag) == long_tag) {
        while (at < bytes.size() && (bytes[at] & std::byte{0x80}) != std::byte{0}) ++at;
        ++at;
    }
    if (at >= bytes.size()) return std::nullopt;
    const auto first = std::to_integer<std::size_t>(bytes[at++]);
    std::size_t size = first;
    if (first >= 0x80) {
        const auto octets = first & 0x7f;
        if (octets == 0 || octets > 4 || bytes.size() - at < octets || bytes[at] == std::byte{0})
            return std::nullopt;
        size = 0;
        for (std::size_t i = 0; i < octets; ++i) size = size << 8 | std::to_integer<std::size_t>(bytes[at++]);
        if (size < 0x80) return std::nullopt;
    }
    if (size > bytes.size() - at) return std::nullopt;
    return Extent{at, size};
}

bool all_well_formed(std::span<const std::byte> bytes, int depth) {
    if (depth > deepest) return false;
    while (!bytes.empty()) {
        const auto extent = extent_of(bytes);
        if (!extent) return false;
        const auto content = bytes.subspan(extent->header, extent->content);
        if ((std::to_integer<unsigned>(bytes[0]) & constructed_bit) != 0 &&
            !all_well_formed(content, depth + 1))
            return false;
        bytes = bytes.subspan(extent->header + extent->content);
    }
    return true;
}

}  // namespace

base::Bytes value(std::uint8_t tag, std::span<const std::byte> content) {
    base::Bytes out;
    out.reserve(content.size() + 6);
    out.push_back(std::byte{tag});
    append_length(out, content.size());
    out.insert(out.end(), content.begin(), content.end());
    return out;
}

base::Bytes value(std::uint8_t tag, std::initializer_list<base::Bytes> content) {
    base::Bytes joined;
    for (const auto& piece : content) joined.insert(joined.end(), piece.begin(), piece.end());
    return value(tag, joined);
}

base::Bytes sequence(std::initializer_list<base::Bytes> content) {
    return value(sequence_tag, content);
}

base::Bytes set(std::initializer_list<base::Bytes> content) {
    return value(set_tag, content);
}

base::Bytes oid(std::string_view dotted) {
    base::Bytes content;
    std::uint64_t first = 0;
    std::size_t at = 0;
    for (const auto part : base::split(dotted, '.')) {
        std::uint64_t arc = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), arc);
        assert(error == std::errc() && end == part.data() + part.size());
        if (at == 0)
            first = arc;
        else
            append_arc(content, at == 1 ? first * 40 + arc : arc);
        ++at;
    }
    return value(oid_tag, content);
}

base::Bytes integer(std::uint64_t number) {
    base::Bytes content;
    for (int shift = 56; shift >= 0; shift -= 8) {
        const auto octet = static_cast<std::byte>(number >> shift);
        if (content.empty() && octet == std::byte{0} && shift > 0) continue;
        // Positive: a first octet with its highest bit set would say otherwise.
        if (content.empty() && (octet & std::byte{0x80}) != std::byte{0}) content.push_back(std::byte{0});
        content.push_back(octet);
    }
    return value(integer_tag, content);
}

bool is_well_formed(std::span<const std::byte> bytes) {
    if (bytes.empty()) return false;
    const auto extent = extent_of(bytes);
    return extent && extent->header + extent->content == bytes.size() && all_well_formed(bytes, 1);
}

}  // namespace pki::asn1
