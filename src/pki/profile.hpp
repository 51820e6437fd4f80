// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

namespace pki {

/// The kinds of certificate that we make (interfaces.md 3). What each must contain is decided in profile.cpp
/// and nowhere else.
enum class Profile { root, intermediate, edge_ca, server, device, client, est_identity, bootstrap };

/// "root", "intermediate", "edge-ca", "server", "device", "client", "est-identity", "bootstrap".
std::string_view to_string(Profile profile);
std::optional<Profile> parse_profile(std::string_view text);
std::vector<std::string> profile_names();

enum class San { forbidden, optional, required };

/// The fields of one kind of certificate.
struct ProfileRules {
    bool ca;
    std::optional<int> path_length;       ///< nullopt: no limit in the certificate
    unsigned key_usage;                   ///< OpenSSL's KU_ bits, always critical
    std::vector<std::string> extended_key_usage;
    San san;
    std::chrono::days lifetime;           ///< the default, and the most
};
const ProfileRules& rules(Profile profile);

/// Everything that decides the body of a certificate. The request of a client enters only as key and names.
struct IssueInput {
    Profile profile;
    PublicKey key;
    std::string common_name;               ///< 1 to 64 characters (ub-common-name)
    std::vector<std::string> names;        ///< SANs: "DNS:edgegateway.local", "IP:127.0.0.2", "URI:..."
    std::optional<std::chrono::seconds> lifetime;  ///< shorter or longer than the profile's default
    bool client_auth = false;              ///< profile server: adds clientAuth
    std::optional<int> path_length;        ///< profile intermediate: an explicit limit
    std::optional<base::Bytes> subject_der;  ///< a whole subject in place of CN alone (renewal)
};

/// Makes and signs a certificate: version 3, serial of 16 random octets positive, notBefore backdated 5 minutes,
/// notAfter never past the issuer's, SKI, AKI, SHA-256. `issuer` null: self-signed by `signer`.
/// Fails with invalid_argument for a bad name, a missing SAN, an issuer that is no CA, has expired or has no path
/// length left, or a signer that does not match the issuer.
base::Result<Certificate> issue(const IssueInput& input, const Certificate* issuer, const PrivateKey& signer,
                                base::Instant now);

/// Refuses a name that cannot stand in a certificate, with the reason (a host name is never altered silently).
/// text: "DNS:name", "IP:address", "URI:...".
base::Status check_name(std::string_view text);

}  // namespace pki
