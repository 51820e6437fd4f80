// SPDX-License-Identifier: Apache-2.0
#include "trust/checks.hpp"
#include "trust/judge.hpp"
#include "trust/sas_token.hpp"

namespace trust::judge {
namespace {

enum class Match { primary, secondary, neither };

/// Tries both keys whatever the first says, so that the time is the same.
Match match(const SasToken& token, std::string_view primary, std::string_view secondary) {
    const bool first = token.signed_by(primary);
    const bool second = token.signed_by(secondary);
    if (first) return Match::primary;
    return second ? Match::secondary : Match::neither;
}

void check_expiry(const SasToken& token, base::Instant now, Decision& decision) {
    const auto at = base::format_rfc3339(now);
    decision.valid_until = token.expires();
    if (!decision.valid_until)
        return decision.verdict.fail(checks::token_expiry, -1, "se in seconds since 1970", "no such number");
    const auto found = "se " + base::format_rfc3339(*decision.valid_until);
    const auto expected = "not before " + at + " less 5 minutes of skew";
    if (*decision.valid_until + token_skew >= now)
        decision.verdict.pass(checks::token_expiry, -1, expected, found);
    else
        decision.verdict.fail(checks::token_expiry, -1, expected, found + ", expired");
}

void check_resource(const SasToken& token, const Subject& subject, std::span<const std::string> hosts,
                    pki::Verdict& verdict) {
    // A module's own key opens the module by its full name only: a token for its device is the device's
    // (hub.md 2.3).
    const bool whole = subject.prover.identity.is_module() && !token.policy;
    const bool fits = whole ? token.names(subject.resource, hosts) : token.covers(subject.resource, hosts);
    const auto expected = (hosts.empty() ? std::string("host") : hosts.front()) + "/" + subject.resource +
                          (whole ? "" : " or above it");
    if (fits)
        verdict.pass(checks::token_resource, -1, expected, token.resource);
    else
        verdict.fail(checks::token_resource, -1, expected, token.resource);
}

const PolicyKeys* check_policy(const SasToken& token, const Context& context, pki::Verdict& verdict) {
    const auto expected = "policy " + *token.policy + " with the right DeviceConnect";
    if (context.policy == nullptr || context.policy->name != *token.policy) {
        verdict.fail(checks::token_policy, -1, expected, "no such policy");
        return nullptr;
    }
    if (context.policy->device_connect)
        verdict.pass(checks::token_policy, -1, expected, "DeviceConnect");
    else
        verdict.fail(checks::token_policy, -1, expected, "policy without DeviceConnect");
    return context.policy;
}

void check_signature(const SasToken& token, std::string_view owner, std::string_view primary,
                     std::string_view secondary, pki::Verdict& verdict) {
    const auto expected = "HMAC-SHA256 under a key of " + std::string(owner);
    switch (match(token, primary, secondary)) {
        case Match::primary:
            return verdict.pass(checks::token_signature, -1, expected, "primary key");
        case Match::secondary:
            return verdict.pass(checks::token_signature, -1, expected, "secondary key");
        case Match::neither:
            return verdict.fail(checks::token_signature, -1, expected, "neither primary nor secondary key");
    }
}

}  // namespace

std::string method_text(std::string_view scope, std::string_view type, std::string_view issuer) {
    std::string text = R"({"scope":")";
    return text.append(scope)
        .append(R"(","type":")")
        .append(type)
        .append(R"(","issuer":")")
        .append(issuer)
        .append("\"}");
}

void token(const Presented& presented, const Subject& subject, const Context& context, Decision& decision) {
    auto& verdict = decision.verdict;
    const std::string form = "SharedAccessSignature sr=...&sig=...&se=...";
    const auto parsed = SasToken::parse(presented.token);
    if (!parsed) {
        verdict.fail(checks::token_form, -1, form, parsed.error().reason);
        for (const auto check : {checks::token_expiry, checks::token_resource, checks::token_policy})
            verdict.skip(check, -1, "a token that can be read");
        verdict.skip(checks::token_signature, -1, "a token that can be read");
        return;
    }
    verdict.pass(checks::token_form, -1, form, "as expected");
    check_expiry(*parsed, context.now, decision);
    check_resource(*parsed, subject, context.hosts, verdict);

    const auto& own = subject.prover.authentication;
    if (!parsed->policy) {
        verdict.skip(checks::token_policy, -1, "no policy: signed with the identity's own key");
        check_signature(*parsed, subject.prover.identity.text(), own.primary_key, own.secondary_key, verdict);
        decision.method = method_text(scope_of(subject.prover), "sas", "iothub");
        return;
    }
    const auto* policy = check_policy(*parsed, context, verdict);
    if (policy == nullptr) {
        (void)match(*parsed, own.primary_key, own.secondary_key);  // as long as with a policy that exists
        verdict.skip(checks::token_signature, -1, "HMAC-SHA256 under a key of the policy");
        return;
    }
    check_signature(*parsed, "policy " + policy->name, policy->primary_key, policy->secondary_key, verdict);
    decision.method = method_text("hub", "sas", "iothub");
}

}  // namespace trust::judge
