// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace pki {

/// Refuses a name that cannot stand in a certificate, with the reason (a host name is never altered
/// silently). text: "DNS:name", "IP:address", "URI:...". DNS: letters, digits and hyphens in labels of 1 to
/// 63, 253 in all (RFC 1123 2.1); a single label is fine, as is "*" as the whole first label of at least
/// three (RFC 9525 6.3). IP: an IPv4 or IPv6 literal without brackets or zone. URI: absolute, ASCII, at most
/// 2048 characters (RFC 5280 4.2.1.6).
base::Status check_name(std::string_view text);

/// True for "DNS:*.contoso.com".
bool is_wildcard(std::string_view text);

/// 4 or 16 octets of an IPv4 or IPv6 literal; nullopt for anything else.
std::optional<base::Bytes> parse_address(std::string_view literal);

/// Refuses a common name that cannot stand in a certificate: 1 to 64 characters of UTF-8 (ub-common-name of
/// RFC 5280 appendix A), none of them a control character.
base::Status check_common_name(std::string_view text);

}  // namespace pki
