// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mqtt {

/// A cursor over the body of one packet that only moves forward. What it refuses names packet, field and
/// section.
class Reader {
  public:
    Reader(std::span<const std::byte> body, std::string_view packet) : rest_(body), packet_(packet) {}

    base::Result<std::uint8_t> byte(std::string_view field);
    base::Result<std::uint16_t> number(std::string_view field);
    /// Two octets that may not be 0. section: of the standard, for the error.
    base::Result<std::uint16_t> packet_id(std::string_view section);
    /// A length of two octets, then as many bytes; any content (section 3.1.3.5).
    base::Result<std::span<const std::byte>> data(std::string_view field);
    /// The same with well-formed UTF-8 without U+0000 (section 1.5.3).
    base::Result<std::string> text(std::string_view field);
    std::span<const std::byte> rest();
    /// Fails where bytes are left.
    base::Status end() const;
    bool empty() const { return rest_.empty(); }

    std::unexpected<base::Error> fail(std::string reason) const {
        return base::fail(base::Code::malformed, std::string(packet_), std::move(reason));
    }

  private:
    std::unexpected<base::Error> too_short(std::string_view field) const;

    std::span<const std::byte> rest_;
    std::string_view packet_;
};

}  // namespace mqtt
