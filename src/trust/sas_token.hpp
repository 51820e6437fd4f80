// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "trust/identity.hpp"

namespace trust {

/// A shared access signature, taken apart (hub.md 2.3). `resource` and `expiry` stay as they stood on the
/// wire, since the signature is over exactly those characters.
struct SasToken {
    std::string resource;               ///< sr, still encoded
    std::string signature;              ///< sig, percent-decoded base64
    std::string expiry;                 ///< se, as text
    std::optional<std::string> policy;  ///< skn, decoded; absent where signed with an identity's own key

    /// Fails with `malformed`; no part of the token enters the error.
    static base::Result<SasToken> parse(std::string_view text);
    /// nullopt where `se` is not a decimal number of seconds up to the year 9999.
    std::optional<base::Instant> expires() const;
    /// HMAC-SHA256 under `key_base64` over `resource "\n" expiry`, compared in constant time. False for a key
    /// that is not base64, or empty.
    bool signed_by(std::string_view key_base64) const;
    /// True where the token's resource, compared by segments and without case, is a prefix of `wanted_path`,
    /// each segment as it stands or decoded a second time; a port behind the host is tolerated. wanted_path:
    /// what follows the host, ids as they stand ("devices/d/modules/m"); empty for the hub as a whole. With
    /// one of `hosts` in front it means the same. hosts: every name that counts as the first segment.
    bool covers(std::string_view wanted_path, std::span<const std::string> hosts) const;
    /// The same, but the resource must be `wanted_path` itself and no wider one.
    bool names(std::string_view wanted_path, std::span<const std::string> hosts) const;
};

/// "devices/TempSensor" or "devices/EdgeGateway/modules/$edgeHub", ids as they stand.
std::string resource_path(const Identity& identity);

/// Allowance for clocks when a connection is opened (hub.md 2.3, interfaces.md 4).
inline constexpr std::chrono::minutes token_skew{5};

/// Makes a token: resource is percent-encoded whole; key is base64. Fails where the key is not base64.
base::Result<std::string> make_sas_token(std::string_view resource, std::string_view key_base64,
                                         base::Instant expires, std::string_view policy = {});
/// The text to sign, for keys that stay in a service: `<encoded resource>\n<expiry>`; `finish` puts the
/// signature in.
struct UnsignedToken {
    std::string resource;
    std::string expiry;
    std::string policy;
    std::string to_sign() const;
    std::string finish(std::string_view signature_base64) const;
};
UnsignedToken unsigned_token(std::string_view resource, base::Instant expires, std::string_view policy = {});

}  // namespace trust
