// SPDX-License-Identifier: Apache-2.0
#include "hub/policy_token.hpp"

#include "trust/checks.hpp"

namespace hub {

namespace checks = trust::checks;

pki::Verdict check_policy_token(const trust::SasToken& token, const std::optional<registry::Policy>& policy,
                                std::string_view wanted, std::span<const std::string> hosts,
                                base::Instant now) {
    pki::Verdict verdict;
    const auto expires = token.expires();
    const auto limit = "se not before " + base::format_rfc3339(now - trust::token_skew);
    if (!expires)
        verdict.fail(checks::token_expiry, -1, limit, "se is not a number");
    else if (*expires < now - trust::token_skew)
        verdict.fail(checks::token_expiry, -1, limit, base::format_rfc3339(*expires));
    else
        verdict.pass(checks::token_expiry, -1, limit, base::format_rfc3339(*expires));

    const auto resource = "a resource that covers " + std::string(wanted);
    if (token.covers(wanted, hosts))
        verdict.pass(checks::token_resource, -1, resource, "sr " + token.resource);
    else
        verdict.fail(checks::token_resource, -1, resource, "sr " + token.resource);

    if (!policy) {
        verdict.fail(checks::token_policy, -1, "a policy of this hub",
                     token.policy ? "skn " + *token.policy : "no skn");
        verdict.skip(checks::token_signature, -1, "a signature with a key of the policy");
        return verdict;
    }
    verdict.pass(checks::token_policy, -1, "a policy of this hub", "skn " + policy->name);
    const std::string signature = "a signature with a key of policy " + policy->name;
    if (token.signed_by(policy->primary_key))
        verdict.pass(checks::token_signature, -1, signature, "primary key");
    else if (token.signed_by(policy->secondary_key))
        verdict.pass(checks::token_signature, -1, signature, "secondary key");
    else
        verdict.fail(checks::token_signature, -1, signature, "another key");
    return verdict;
}

}  // namespace hub
