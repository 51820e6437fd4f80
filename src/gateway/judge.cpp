// SPDX-License-Identifier: Apache-2.0
#include "gateway/judge.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace gateway {

namespace {

std::string join(std::span<const std::string> names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : " or ") + name;
    return text;
}

/// The gateway's own identities do not come in at its front door: they would speak for the whole device.
bool is_own(const trust::Identity& identity, const ScopeCache& cache) {
    return identity.module == "$edgeHub" || (identity.device == cache.edge_device() && !identity.is_module());
}

}  // namespace

trust::Decision judge(const Credential& credential, const ScopeCache& cache,
                      std::span<const std::string> hosts, base::Instant now,
                      const trust::Revocation& revocation) {
    const auto& claim = credential.claim;
    const auto& identity = claim.identity;
    pki::Verdict own;
    const auto host = azure::host_without_port(claim.host);
    const bool known_host = std::any_of(hosts.begin(), hosts.end(), [&](const std::string& name) {
        return base::equal_ignoring_case(name, host);
    });
    if (known_host)
        own.pass(checks::host, -1, join(hosts), claim.host);
    else
        own.fail(checks::host, -1, join(hosts), claim.host);
    if (!claim.auth_chain.empty()) {
        own.fail(checks::role, -1, "a device that connects for itself", "auth-chain " + claim.auth_chain);
    } else if (is_own(identity, cache)) {
        own.fail(checks::role, -1, "a downstream identity",
                 identity.text() + ", which is the gateway itself");
    } else {
        own.pass(checks::role, -1, "a downstream identity", identity.text());
    }
    const auto record = cache.find(identity);
    if (record) {
        const auto chain = cache.auth_chain(identity);
        const std::string expected = "a way up to " + cache.edge_device() + " over enabled edge devices";
        if (chain)
            own.pass(checks::scope, -1, expected, *chain);
        else
            own.fail(checks::scope, -1, expected, "none");
    }
    trust::Presented presented;
    presented.claimed = identity;
    presented.client_id = credential.client_id;
    presented.token = credential.token.text();
    presented.certificates = credential.certificates;
    trust::Context context;
    context.hosts = hosts;
    context.device_cas = &cache.device_cas();
    context.now = now;
    context.revocation = revocation;
    auto decision = trust::authenticate(presented, record.get(), context);
    own.append(std::move(decision.verdict));
    decision.verdict = std::move(own);
    return decision;
}

}  // namespace gateway
