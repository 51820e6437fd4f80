// SPDX-License-Identifier: Apache-2.0
#include "pki/profile.hpp"

#include <array>
#include <utility>

namespace pki {
namespace {

constexpr std::array<std::pair<Profile, std::string_view>, 9> names{{
    {Profile::root, "root"},
    {Profile::intermediate, "intermediate"},
    {Profile::edge_ca, "edge-ca"},
    {Profile::server, "server"},
    {Profile::device, "device"},
    {Profile::client, "client"},
    {Profile::est_identity, "est-identity"},
    {Profile::bootstrap, "bootstrap"},
    {Profile::ocsp, "ocsp"},
}};

}  // namespace

std::string_view to_string(Profile profile) {
    for (const auto& [each, name] : names)
        if (each == profile) return name;
    return "unknown";
}

std::optional<Profile> parse_profile(std::string_view text) {
    for (const auto& [profile, name] : names)
        if (name == text) return profile;
    return std::nullopt;
}

std::vector<std::string> profile_names() {
    std::vector<std::string> all;
    for (const auto& [profile, name] : names) all.emplace_back(name);
    return all;
}

const ProfileRules& rules(Profile profile) {
    using std::chrono::days;
    constexpr unsigned sign_certificates = key_usage::key_cert_sign | key_usage::crl_sign;
    constexpr unsigned sign = key_usage::digital_signature;
    constexpr auto none = std::nullopt;
    static const std::vector<std::string> any_use, server_use{"serverAuth"}, client_use{"clientAuth"},
        answer_use{"OCSPSigning"};

    static const ProfileRules root{true,    none,           sign_certificates,
                                   any_use, San::forbidden, days{20 * 365 + 5}};
    static const ProfileRules intermediate{true,    none,           sign_certificates,
                                           any_use, San::forbidden, days{10 * 365 + 2}};
    // No extended key usage: it would limit what the certificates below may be used for.
    static const ProfileRules edge_ca{true, 0, sign_certificates | sign, any_use, San::forbidden, days{90}};
    static const ProfileRules server{false, none, sign, server_use, San::required, days{90}};
    static const ProfileRules device{false, none, sign, client_use, San::optional, days{90}};
    static const ProfileRules client{false, none, sign, client_use, San::optional, days{30}};
    static const ProfileRules est_identity{false, none, sign, client_use, San::optional, days{30}};
    static const ProfileRules bootstrap{false, none, sign, client_use, San::optional, days{2 * 365}};
    // A signer of OCSP answers for the CA that issued it, and nothing else (RFC 6960 4.2.2.2).
    static const ProfileRules ocsp{false, none, sign, answer_use, San::forbidden, days{14}};

    switch (profile) {
        case Profile::root:
            return root;
        case Profile::intermediate:
            return intermediate;
        case Profile::edge_ca:
            return edge_ca;
        case Profile::server:
            return server;
        case Profile::device:
            return device;
        case Profile::client:
            return client;
        case Profile::est_identity:
            return est_identity;
        case Profile::bootstrap:
            return bootstrap;
        case Profile::ocsp:
            return ocsp;
    }
    return server;
}

}  // namespace pki
