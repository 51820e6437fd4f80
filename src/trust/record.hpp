// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "trust/identity.hpp"

namespace trust {

/// A certificate thumbprint: 20 octets (SHA-1) or 32 (SHA-256) over the DER.
class Thumbprint {
  public:
    /// 40 or 64 hex digits in either case; colons, spaces and dashes are dropped (hub.md 2.4).
    static base::Result<Thumbprint> parse(std::string_view text);
    static Thumbprint from_bytes(std::span<const std::byte> bytes);
    /// Upper-case hex without separators, as the registry shows it.
    std::string text() const { return base::to_hex_upper(bytes_); }
    const base::Bytes& bytes() const { return bytes_; }
    friend bool operator==(const Thumbprint& a, const Thumbprint& b) = default;

  private:
    base::Bytes bytes_;
};

/// How an identity proves itself. The registered type alone decides what is looked at (interfaces.md 4).
enum class AuthType { none, sas, self_signed, certificate_authority };
/// "none", "sas", "selfSigned", "certificateAuthority".
std::string_view to_string(AuthType type);
std::optional<AuthType> parse_auth_type(std::string_view text);

struct Authentication {
    AuthType type = AuthType::sas;
    std::string
        primary_key;  ///< base64; empty where there is none. The registry's spelling is kept verbatim.
    std::string secondary_key;
    std::optional<Thumbprint> primary_thumbprint;
    std::optional<Thumbprint> secondary_thumbprint;
};

enum class Enablement { enabled, disabled };

/// What the hub (registry) or the gateway (scope cache) knows about an identity.
struct Record {
    Identity identity;
    std::string generation;                          ///< generationId; a new one is a new identity
    Enablement status = Enablement::enabled;         ///< of the device; modules have their device's
    Enablement device_status = Enablement::enabled;  ///< modules: status of their device
    Authentication authentication;
    bool edge_enabled = false;  ///< capabilities.iotEdge
    std::string device_scope;   ///< "ms-azure-iot-edge://EdgeGateway-639..."
    std::vector<std::string> parent_scopes;
};

}  // namespace trust
