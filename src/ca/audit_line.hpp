// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ca/inventory.hpp"

namespace ca {

/// One entry of the audit log (est-and-pki.md 9.5): a JSON object on a line of its own, keys in fixed order.
struct AuditLine {
    std::uint64_t seq = 0;  ///< 1 for `genesis`
    std::string time{};     ///< RFC 3339 with milliseconds
    std::string kind{};     ///< "issue", "revoke", "refuse"...
    std::string actor{}, peer{}, label{}, profile{}, reason{}, serial{};
    std::string certificate{}, spki{};  ///< SHA-256, hex
    std::string subject{}, detail{};
    Sha256 prev{};  ///< hash of the line before; zero for the first
    Sha256 hash{};  ///< of this line up to it; set by `format`
};

/// The line without its end, and its hash put into `line`. Text is escaped to ASCII, so that no value can
/// forge a line, and cut at 1 KiB with a mark and the hash of the whole.
std::string format(AuditLine& line);

/// Reads what `format` writes, and nothing else: another order, blank, escape or number is `malformed`, and
/// so is a line whose hash is not its own.
base::Result<AuditLine> parse_audit_line(std::string_view text);

/// A value as a JSON text in ASCII, without its quotes: controls, quotes, backslash and all above ASCII as
/// \uXXXX. What is no UTF-8 is taken octet by octet.
std::string escaped(std::string_view text);

}  // namespace ca
