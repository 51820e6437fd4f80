// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pki/certificate.hpp"

namespace pki {

/// A certificate's serial number: the content octets of its INTEGER, at most 21 (RFC 5280 4.1.2.2 has 20).
/// Small, so that a million of them are a table.
class Serial {
  public:
    static constexpr std::size_t most = 21;

    /// content: of a DER INTEGER, in its shortest form; nullopt where it is none or too long.
    static std::optional<Serial> from_content(std::span<const std::byte> content);
    /// A positive number in hex of either case; leading zeros do not count.
    static std::optional<Serial> from_hex(std::string_view hex);
    /// nullopt for a number that no CRL of ours can name.
    static std::optional<Serial> of(const Certificate& certificate);

    std::span<const std::byte> content() const { return {octets_.data(), size_}; }
    /// Lower-case hex of whole octets without leading zero octets, as the CA's inventory writes it.
    std::string hex() const;

    friend bool operator==(const Serial&, const Serial&) = default;
    /// By length, then by octets: the order of numbers, for positive ones.
    friend std::strong_ordering operator<=>(const Serial& a, const Serial& b) {
        if (a.size_ != b.size_) return a.size_ <=> b.size_;
        return a.octets_ <=> b.octets_;
    }

  private:
    std::array<std::byte, most> octets_{};
    std::uint8_t size_ = 0;
};

}  // namespace pki
