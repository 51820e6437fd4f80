// SPDX-License-Identifier: Apache-2.0
#include "ca/refusal.hpp"

#include <array>
#include <utility>

namespace ca {
namespace {

constexpr bool audited = true;
constexpr bool counted = false;
constexpr bool challenge = true;

constexpr std::array<std::pair<std::string_view, RefusalRule>, 50> refusal_rules{{
    {"http.path", {404, counted}},
    {"est.label", {404, counted}},
    {"http.method", {405, counted}},
    {"http.framing", {400, counted}},
    {"http.length", {411, counted}},
    {"http.size", {413, counted}},
    {"http.header", {431, counted}},
    {"http.timeout", {408, counted}},
    {"http.type", {415, counted}},
    {"auth.none", {401, counted, challenge}},
    {"auth.password", {401, audited, challenge}},
    {"auth.header", {401, counted, challenge}},
    {"auth.certificate", {403, audited}},
    {"auth.expired", {403, audited}},
    {"auth.not_yet_valid", {403, audited}},
    {"auth.revoked", {403, audited}},
    {"auth.usage", {403, audited}},
    {"auth.blocked", {403, audited}},
    {"policy.label", {403, audited}},
    {"rate.limit", {429, counted}},
    {"body.empty", {400, counted}},
    {"body.base64", {400, audited}},
    {"csr.der", {400, audited}},
    {"csr.signature", {400, audited}},
    {"csr.weak_digest", {400, audited}},
    {"key.weak", {403, audited}},
    {"key.type", {403, audited}},
    {"key.known", {403, audited}},
    {"csr.duplicate_extension", {400, audited}},
    {"csr.extension_der", {400, audited}},
    {"csr.extension", {403, audited}},
    {"name.subject", {403, audited}},
    {"name.not_allowed", {403, audited}},
    {"name.san", {403, audited}},
    {"csr.binding", {400, audited}},
    {"reenroll.certificate", {401, audited, challenge}},
    {"reenroll.subject", {403, audited}},
    {"reenroll.san", {403, audited}},
    {"reenroll.changename", {403, audited}},
    {"reenroll.profile", {403, audited}},
    {"reenroll.key", {403, audited}},
    {"reenroll.unknown", {403, audited}},
    {"op.disabled", {403, audited}},
    {"keygen.encryption", {400, audited}},
    {"op.unsupported", {501, counted}},
    {"policy.pending", {202, counted}},
    {"policy.denied", {403, audited}},
    {"ca.expiring", {503, audited}},
    {"ca.unavailable", {503, audited}},
    {"internal", {500, counted}},
}};

}  // namespace

RefusalRule rule_of(std::string_view id) {
    for (const auto& [each, rule] : refusal_rules)
        if (each == id) return rule;
    return {};
}

}  // namespace ca
