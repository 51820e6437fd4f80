// SPDX-License-Identifier: Apache-2.0
#include "hub/judge.hpp"

#include <expected>
#include <utility>

#include "base/result.hpp"
#include "hub/auth_chain.hpp"
#include "trust/checks.hpp"
#include "trust/sas_token.hpp"

namespace hub {

namespace checks = trust::checks;

std::vector<std::string> Credential::devices() const {
    std::vector<std::string> devices{claim.identity.device};
    for (const auto& member : chain) devices.push_back(member.device);
    return devices;
}

std::expected<Credential, BadConnect> read_credential(mqtt::Connect& connect, const Config& config) {
    const auto bad = [](mqtt::ConnackCode code, base::Code kind, std::string thing, std::string reason) {
        return std::unexpected(BadConnect{code, base::Error{kind, std::move(thing), std::move(reason), {}}});
    };
    if (connect.protocol != "MQTT" || connect.level != 4) {
        return bad(mqtt::ConnackCode::unacceptable_protocol, base::Code::unsupported,
                   "protocol " + connect.protocol + " level " + std::to_string(connect.level),
                   "is not MQTT 3.1.1 (level 4)");
    }
    if (!connect.user_name) {
        return bad(mqtt::ConnackCode::bad_user_name_or_password, base::Code::malformed, "user name",
                   "is missing");
    }
    Credential credential;
    auto claim = azure::parse_username(*connect.user_name);
    if (!claim) {
        return std::unexpected(
            BadConnect{mqtt::ConnackCode::bad_user_name_or_password, std::move(claim).error()});
    }
    credential.claim = *std::move(claim);
    if (!config.is_own_name(credential.claim.host)) {
        return bad(mqtt::ConnackCode::not_authorized, base::Code::unauthenticated,
                   "host " + credential.claim.host, "is no name of this hub (names in hub.toml)");
    }
    // An empty one would not be compared below.
    if (connect.client_id.empty()) {
        return bad(mqtt::ConnackCode::identifier_rejected, base::Code::unauthenticated, "client id",
                   "is empty");
    }
    if (!credential.claim.auth_chain.empty()) {
        auto chain = parse_auth_chain(credential.claim.auth_chain);
        if (!chain) {
            return std::unexpected(
                BadConnect{mqtt::ConnackCode::bad_user_name_or_password, std::move(chain).error()});
        }
        credential.chain = *std::move(chain);
    }
    credential.client_id = connect.client_id;
    if (connect.password) {
        credential.token = base::SecretBytes(std::string_view(*connect.password));
        base::wipe(connect.password->data(), connect.password->size());
    }
    return credential;
}

base::Result<Judgement> judge(const Credential& credential, const pki::Chain& certificates,
                              const Services& services, base::Instant now, Occasion occasion) {
    auto& reader = *services.here().reader;
    SP_TRY(return, const auto record, reader.record(credential.claim.identity));

    trust::Context context;
    context.hosts = services.config.names;
    context.now = now;
    const auto anchors = services.anchors.current();
    context.device_cas = anchors.get();
    const auto crls = services.crls.current();
    context.revocation.crls = crls.get();
    if (occasion == Occasion::connect) context.revocation.max_age = services.crls.max_age();

    std::optional<trust::PolicyKeys> policy;
    if (!credential.token.empty()) {
        const auto token = trust::SasToken::parse(credential.token.text());
        if (token && token->policy) {
            SP_TRY(return, const auto stored, reader.policy(*token->policy));
            if (stored) {
                policy = trust::PolicyKeys{stored->name, stored->primary_key, stored->secondary_key,
                                           stored->has(registry::Right::device_connect)};
            }
        }
    }
    context.policy = policy ? &*policy : nullptr;

    ChainRecords chain;
    trust::OnBehalf on_behalf;
    if (!credential.chain.empty()) {
        SP_TRY(return, chain, read_auth_chain(credential.claim.auth_chain, credential.chain, reader));
        on_behalf = chain.view();
        context.on_behalf = &on_behalf;
    }

    trust::Presented presented;
    presented.claimed = credential.claim.identity;
    presented.client_id = credential.client_id;
    presented.token = credential.token.text();
    presented.certificates = &certificates;
    Judgement judgement;
    judgement.decision = trust::authenticate(presented, record ? &*record : nullptr, context);
    if (record) judgement.generation = record->generation;
    return judgement;
}

mqtt::ConnackCode connack_code(const pki::Verdict& verdict, std::string_view token) {
    const auto* failed = verdict.first_failure();
    if (failed != nullptr && failed->check == checks::identity_client_id)
        return mqtt::ConnackCode::identifier_rejected;
    if (!token.empty() && !trust::SasToken::parse(token)) return mqtt::ConnackCode::bad_user_name_or_password;
    return mqtt::ConnackCode::not_authorized;
}

}  // namespace hub
