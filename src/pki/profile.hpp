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
#include "pki/name.hpp"

namespace pki {

/// The kinds of certificate that we make (interfaces.md 3). What each must contain is decided in profile.cpp
/// and nowhere else.
enum class Profile { root, intermediate, edge_ca, server, device, client, est_identity, bootstrap, ocsp };

/// "root", "intermediate", "edge-ca", "server", "device", "client", "est-identity", "bootstrap", "ocsp".
std::string_view to_string(Profile profile);
std::optional<Profile> parse_profile(std::string_view text);
std::vector<std::string> profile_names();

enum class San { forbidden, optional, required };

/// Bits of the keyUsage extension (RFC 5280 4.2.1.3), with the values that OpenSSL gives them.
namespace key_usage {
inline constexpr unsigned digital_signature = 0x80;
inline constexpr unsigned key_encipherment = 0x20;
inline constexpr unsigned key_cert_sign = 0x04;
inline constexpr unsigned crl_sign = 0x02;
}  // namespace key_usage

/// The longest lifetime that `issue` accepts, so that a slip of the keyboard is not a certificate for ever.
inline constexpr std::chrono::days longest_lifetime{50 * 366};

/// The fields of one kind of certificate.
struct ProfileRules {
    bool ca;
    std::optional<int> path_length;  ///< nullopt: no limit in the certificate
    unsigned key_usage;              ///< bits of KeyUsage, always critical
    std::vector<std::string> extended_key_usage;
    San san;
    std::chrono::days lifetime;  ///< where the caller asks for none
};
const ProfileRules& rules(Profile profile);

/// Everything that decides the body of a certificate. The request of a client enters only as key and names.
struct IssueInput {
    Profile profile;
    PublicKey key;
    std::string common_name;           ///< 1 to 64 characters (ub-common-name)
    std::vector<std::string> names{};  ///< SANs: "DNS:edgegateway.local", "IP:127.0.0.2", "URI:..."
    std::optional<std::chrono::seconds> lifetime{};  ///< shorter or longer than the profile's default
    bool client_auth = false;                        ///< profile server: adds clientAuth
    std::optional<int> path_length{};                ///< profile root or intermediate: an explicit limit
    std::optional<base::Bytes> subject_der{};        ///< a whole subject in place of CN alone (renewal)
    /// Where those who check find the issuer's CRL, its OCSP responder and its certificate: http URLs.
    /// Written into every profile but root and ocsp (bootstrap: the CRL alone); empty: not.
    std::vector<std::string> crl_urls{};
    std::string ocsp_url{};
    std::string ca_issuers_url{};
    /// A CA: names that it may issue for, "DNS:edge1", "IP:10.1.0.0/16"; empty: any (name constraints).
    std::vector<std::string> permitted{};
};

/// Makes and signs a certificate: version 3, serial of 16 random octets positive, notBefore backdated 5
/// minutes (not before the issuer's), notAfter never past the issuer's, SKI, AKI, SHA-256. `issuer` null:
/// self-signed by `signer`, whose public half `input.key` must be. An intermediate without an explicit path
/// length gets one less than its issuer's. Fails with invalid_argument for a bad name, a missing or forbidden
/// SAN, a weak key, an issuer that is no CA, is not valid now or has no path length left, or a signer that
/// does not match the issuer.
base::Result<Certificate> issue(const IssueInput& input, const Certificate* issuer, const PrivateKey& signer,
                                base::Instant now);

}  // namespace pki
