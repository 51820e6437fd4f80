// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/encoding.hpp"

namespace pki {

/// Who was dialled: a DNS name or an IP address. Parsed once, so that an address is never matched as a name.
class PeerName {
  public:
    /// An IPv4 or IPv6 literal (brackets allowed) becomes an address, anything else a DNS name as it stands.
    static PeerName parse(std::string_view text);
    bool is_address() const { return !address_.empty(); }
    const std::string& text() const { return text_; }
    const base::Bytes& address() const { return address_; }  ///< 4 or 16 octets

  private:
    std::string text_;
    base::Bytes address_;
};

/// Whether a dNSName of a certificate names `host` (RFC 9525 6.3): equal without regard to case, or with `*`
/// for exactly one whole leftmost label and at least two labels behind it, so that `*.com` names nobody. A
/// dot at the end of `host` says that it is absolute and is not compared.
bool dns_name_matches(std::string_view presented, std::string_view host);

/// Whether `name` has the form of a DNS name: labels of letters, digits, '-' and '_', none empty, none over
/// 63, 253 characters in all. `allow_wildcard`: the leftmost label may be `*`.
enum class Wildcard { forbidden, allowed };
bool is_dns_name(std::string_view name, Wildcard wildcard = Wildcard::forbidden);

}  // namespace pki
