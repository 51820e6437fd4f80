// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/encoding.hpp"

/// Writing DER (X.690) by hand, for small structures around what is encoded already.
namespace pki::asn1 {

/// Tags as they stand in an encoding, of the universal class unless said otherwise.
inline constexpr std::uint8_t integer_tag = 0x02;
inline constexpr std::uint8_t bit_string_tag = 0x03;
inline constexpr std::uint8_t octet_string_tag = 0x04;
inline constexpr std::uint8_t oid_tag = 0x06;
inline constexpr std::uint8_t sequence_tag = 0x30;
inline constexpr std::uint8_t set_tag = 0x31;
/// [number], constructed: of an explicit tag, or of an implicit one over a SEQUENCE or SET.
constexpr std::uint8_t context(std::uint8_t number) {
    return static_cast<std::uint8_t>(0xa0U | number);
}

/// Tag, length and content.
base::Bytes value(std::uint8_t tag, std::span<const std::byte> content);
/// The same over several pieces, one behind the other.
base::Bytes value(std::uint8_t tag, std::initializer_list<base::Bytes> content);
base::Bytes sequence(std::initializer_list<base::Bytes> content);
base::Bytes set(std::initializer_list<base::Bytes> content);
/// dotted: "1.2.840.113549.1.7.2"; a text that is no object identifier is a bug.
base::Bytes oid(std::string_view dotted);
base::Bytes integer(std::uint64_t number);

/// Whether `bytes` is one element with definite, shortest lengths all the way down, at most 32 deep. What
/// primitive elements hold is not looked at.
bool is_well_formed(std::span<const std::byte> bytes);

}  // namespace pki::asn1
