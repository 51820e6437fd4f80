// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/secret.hpp"
#include "trust/checks.hpp"
#include "trust/judge.hpp"

namespace trust::judge {
namespace {

std::string text_of(const std::optional<Thumbprint>& slot) {
    return slot ? slot->text() : "none";
}

void check_validity(const pki::Certificate& leaf, base::Instant now, pki::Verdict& verdict) {
    const auto expected = "valid at " + base::format_rfc3339(now);
    const auto found =
        base::format_rfc3339(leaf.not_before()) + " to " + base::format_rfc3339(leaf.not_after());
    if (now < leaf.not_before())
        verdict.fail(checks::leaf_validity, 0, expected, found + ", not yet valid");
    else if (now > leaf.not_after())
        verdict.fail(checks::leaf_validity, 0, expected, found + ", expired");
    else
        verdict.pass(checks::leaf_validity, 0, expected, found);
}

void check_thumbprint(const pki::Certificate& leaf, const Authentication& registered, pki::Verdict& verdict) {
    const auto sha256 = leaf.sha256();
    const auto sha1 = leaf.sha1();
    // Every pair is compared, so that the time does not tell which slot or hash came close.
    const auto fits = [&](const std::optional<Thumbprint>& slot) {
        const bool by_sha256 = slot && base::equal_constant_time(slot->bytes(), sha256);
        const bool by_sha1 = slot && base::equal_constant_time(slot->bytes(), sha1);
        return static_cast<int>(by_sha256) | static_cast<int>(by_sha1);
    };
    const int primary = fits(registered.primary_thumbprint);
    const int secondary = fits(registered.secondary_thumbprint);
    const auto expected = "primary " + text_of(registered.primary_thumbprint) + " or secondary " +
                          text_of(registered.secondary_thumbprint);
    const auto found = "SHA-256 " + base::to_hex_upper(sha256) + ", SHA-1 " + base::to_hex_upper(sha1);
    if ((primary | secondary) != 0)
        verdict.pass(checks::leaf_thumbprint, 0, expected, found);
    else
        verdict.fail(checks::leaf_thumbprint, 0, expected, found);
}

void check_common_name(const pki::Certificate& leaf, const Identity& identity, pki::Verdict& verdict) {
    const auto expected = "CN=" + identity.text();
    const auto names = leaf.common_names();
    std::string found;
    for (const auto& name : names) found += (found.empty() ? "CN=" : ", CN=") + name;
    const bool fits = !names.empty() && std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        return name == identity.text();
    });
    if (fits)
        verdict.pass(checks::leaf_common_name, 0, expected, found);
    else
        verdict.fail(checks::leaf_common_name, 0, expected, found.empty() ? "no CN" : found);
}

void check_end_entity(const pki::Certificate& leaf, pki::Verdict& verdict) {
    const std::string expected = "a certificate that is no CA";
    if (leaf.is_ca())
        verdict.fail(checks::leaf_end_entity, 0, expected, "basicConstraints CA:TRUE");
    else
        verdict.pass(checks::leaf_end_entity, 0, expected, "no CA");
}

void finish(const pki::Certificate& leaf, const Record& prover, Decision& decision) {
    decision.valid_until = leaf.not_after();
    decision.method = method_text(scope_of(prover), "x509", "external");
}

}  // namespace

void thumbprint(const Presented& presented, const Record& prover, const Context& context,
                Decision& decision) {
    const auto& leaf = presented.certificates->front();
    check_validity(leaf, context.now, decision.verdict);
    check_thumbprint(leaf, prover.authentication, decision.verdict);
    finish(leaf, prover, decision);
}

void certificate_authority(const Presented& presented, const Record& prover, const Context& context,
                           Decision& decision) {
    static const pki::TrustBundle nobody;
    const pki::VerifyInput input{.chain = *presented.certificates,
                                 .trust = context.device_cas != nullptr ? *context.device_cas : nobody,
                                 .purpose = pki::Purpose::client,
                                 .now = context.now,
                                 .crls = context.revocation.crls,
                                 .crl_max_age = context.revocation.max_age};
    decision.verdict.append(pki::verify(input).verdict);
    const auto& leaf = presented.certificates->front();
    check_end_entity(leaf, decision.verdict);
    check_common_name(leaf, prover.identity, decision.verdict);
    finish(leaf, prover, decision);
}

}  // namespace trust::judge
