// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "base/encoding.hpp"

/// The few forms of DER (X.690) that lists of a million entries and answers by the thousand are made of:
/// OpenSSL's objects for them cost ten times the bytes. For `pki` only.
namespace pki::der {

using Octets = std::span<const std::byte>;

enum Tag : std::uint8_t {
    boolean = 0x01,
    integer = 0x02,
    bit_string = 0x03,
    octet_string = 0x04,
    null = 0x05,
    object_identifier = 0x06,
    enumerated = 0x0a,
    utc_time = 0x17,
    generalized_time = 0x18,
    sequence = 0x30
};
/// [number] EXPLICIT, or IMPLICIT over something constructed.
constexpr std::uint8_t explicit_tag(int number) {
    return static_cast<std::uint8_t>(0xa0 + number);
}
/// [number] IMPLICIT over something primitive.
constexpr std::uint8_t implicit_tag(int number) {
    return static_cast<std::uint8_t>(0x80 + number);
}

/// Bytes of tag and length in front of so many octets of content.
std::size_t header_size(std::size_t content);
void append_header(base::Bytes& out, std::uint8_t tag, std::size_t content);
void append(base::Bytes& out, Octets bytes);
void append(base::Bytes& out, std::uint8_t tag, Octets content);

/// One element around the parts, in order.
base::Bytes wrap(std::uint8_t tag, std::initializer_list<Octets> parts);
base::Bytes unsigned_integer(std::uint64_t value);
/// UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5): size of the whole element, and itself.
std::size_t time_size(base::Instant when);
void append_time(base::Bytes& out, base::Instant when);
base::Bytes generalized(base::Instant when);

struct Element {
    std::uint8_t tag;
    Octets content;
    Octets whole;
};

/// Reads elements one after another; strict: definite lengths in their shortest form, tags below 31.
class Reader {
  public:
    explicit Reader(Octets bytes) : rest_(bytes) {}
    bool empty() const { return rest_.empty(); }
    /// nullopt where nothing is left or what is there is no DER.
    std::optional<Element> next();
    /// The same; also nullopt, with nothing taken, where the next element has another tag.
    std::optional<Element> next(std::uint8_t tag);
    bool at(std::uint8_t tag) const { return !rest_.empty() && rest_.front() == std::byte{tag}; }

  private:
    Octets rest_;
};

/// UTCTime or GeneralizedTime of the forms that RFC 5280 4.1.2.5 allows; nullopt for anything else.
std::optional<base::Instant> read_time(const Element& element);
/// A non-negative ENUMERATED of one octet.
std::optional<int> read_small_enumerated(Octets element);

}  // namespace pki::der
