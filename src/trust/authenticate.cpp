// SPDX-License-Identifier: Apache-2.0
#include "trust/authenticate.hpp"

#include "trust/checks.hpp"
#include "trust/judge.hpp"
#include "trust/sas_token.hpp"

namespace trust {
namespace {

bool has_certificate(const Presented& presented) {
    return presented.certificates != nullptr && !presented.certificates->empty();
}

std::string shown(const Presented& presented) {
    const bool certificate = has_certificate(presented);
    if (presented.token.empty()) return certificate ? "certificate" : "nothing";
    return certificate ? "SAS token and certificate" : "SAS token";
}

void check_client_id(const Presented& presented, pki::Verdict& verdict) {
    if (presented.client_id.empty()) return;
    const auto expected = "client id " + presented.claimed.text();
    if (presented.client_id == presented.claimed.text())
        verdict.pass(checks::identity_client_id, -1, expected, "the same");
    else
        verdict.fail(checks::identity_client_id, -1, expected, presented.client_id);
}

void check_enabled(const Record& record, pki::Verdict& verdict) {
    if (judge::is_enabled(record))
        verdict.pass(checks::identity_enabled, -1, "status enabled", "enabled");
    else if (record.identity.is_module())
        verdict.fail(checks::identity_enabled, -1, "status enabled",
                     "device " + record.identity.device + " is disabled, and with it its modules");
    else
        verdict.fail(checks::identity_enabled, -1, "status enabled", "disabled");
}

/// Whether an identity of this registered type can prove itself here at all.
bool check_method(const Record& prover, pki::Verdict& verdict) {
    const auto type = prover.authentication.type;
    const std::string expected = "a registered way for " + prover.identity.text() + " to prove itself";
    if (type == AuthType::none) {
        verdict.fail(checks::identity_method, -1, expected, "authentication type none");
        return false;
    }
    if (type == AuthType::certificate_authority && prover.edge_enabled) {
        verdict.fail(checks::identity_method, -1, "X.509 thumbprint or SAS key for an IoT Edge device",
                     "certificateAuthority: X.509 CA authentication is not supported directly with IoT Edge");
        return false;
    }
    verdict.pass(checks::identity_method, -1, expected, std::string(to_string(type)));
    return true;
}

bool check_present(const Presented& presented, const Record& prover, pki::Verdict& verdict) {
    const bool token = prover.authentication.type == AuthType::sas;
    const auto expected = token ? "SAS token" : "client certificate";
    const bool there = token ? !presented.token.empty() : has_certificate(presented);
    if (there)
        verdict.pass(checks::credential_present, -1, expected, shown(presented));
    else
        verdict.fail(checks::credential_present, -1, expected, shown(presented));
    return there;
}

void judge_credential(const Presented& presented, const Record& prover, const Context& context,
                      Decision& decision) {
    if (!check_method(prover, decision.verdict)) {
        decision.verdict.skip(checks::credential_present, -1, "a credential of the registered type");
        return;
    }
    if (!check_present(presented, prover, decision.verdict)) return;
    switch (prover.authentication.type) {
        case AuthType::none:
            return;
        case AuthType::sas:
            return judge::token(presented, {prover, resource_path(prover.identity)}, context, decision);
        case AuthType::self_signed:
            return judge::thumbprint(presented, prover, context, decision);
        case AuthType::certificate_authority:
            return judge::certificate_authority(presented, prover, context, decision);
    }
}

/// Does for nobody what is done for somebody, so that the time does not tell which ids exist (hub.md 2.7).
void spend_the_same_time(const Presented& presented, const Context& context) {
    Record nobody;
    nobody.identity = presented.claimed;
    if (!presented.token.empty()) {
        nobody.authentication.primary_key = base::to_base64(base::Bytes(32));
        nobody.authentication.secondary_key = nobody.authentication.primary_key;
    } else {
        nobody.authentication.type = AuthType::self_signed;
        nobody.authentication.primary_thumbprint = Thumbprint::from_bytes(base::Bytes(32));
    }
    Decision discarded;
    judge_credential(presented, nobody, context, discarded);
}

/// A gateway may pass its client's own token on; anything else that it shows is its own (hub.md 9.6).
const Record* prover_of(const Presented& presented, const Record* record, const Context& context) {
    if (context.on_behalf == nullptr) return record;
    const auto* actor = context.on_behalf->actor;
    if (presented.token.empty()) return actor;
    const auto token = SasToken::parse(presented.token);
    if (!token) return actor;
    const bool clients_own = token->policy || token->names(resource_path(presented.claimed), context.hosts);
    return clients_own ? record : actor;
}

}  // namespace

Decision authenticate(const Presented& presented, const Record* record, const Context& context) {
    Decision decision;
    check_client_id(presented, decision.verdict);
    const bool registered = record != nullptr && record->identity == presented.claimed;
    const auto expected = presented.claimed.text() + " in the registry";
    if (registered) {
        decision.verdict.pass(checks::identity_registered, -1, expected, "registered");
        check_enabled(*record, decision.verdict);
    } else {
        decision.verdict.fail(checks::identity_registered, -1, expected, "not registered");
        decision.verdict.skip(checks::identity_enabled, -1, "status enabled");
    }
    if (context.on_behalf != nullptr) judge::auth_chain(presented, *context.on_behalf, decision.verdict);

    const Record* prover = prover_of(presented, registered ? record : nullptr, context);
    if (!registered || prover == nullptr) {
        spend_the_same_time(presented, context);
        decision.verdict.skip(checks::identity_method, -1, "a registered way to prove itself");
        decision.verdict.skip(checks::credential_present, -1, "a credential of the registered type");
        return decision;
    }
    judge_credential(presented, *prover, context, decision);
    return decision;
}

}  // namespace trust
