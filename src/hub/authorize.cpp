// SPDX-License-Identifier: Apache-2.0
#include "hub/authorize.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/policy_token.hpp"
#include "trust/authenticate.hpp"
#include "trust/checks.hpp"

namespace hub {

namespace {

using azure::ErrorCode;
using registry::Right;

constexpr std::string_view scheme = "SharedAccessSignature ";
constexpr std::string_view bearer = "Bearer ";
constexpr std::string_view owner_policy = "iothubowner";

/// Whether the policy that signed has the right that a route needs.
constexpr std::string_view policy_right = "policy.right";

/// Logs what a verdict rests on, and makes the refusal with what the caller may hear of it.
std::unexpected<Refusal> unauthorized(const Call& call, const trust::Identity& identity, pki::Verdict verdict,
                                      std::string text) {
    const auto* failed = verdict.first_failure();
    base::log::warning(base::events::request_refused,
                       {{"device", identity.device},
                        {"module", identity.module},
                        {"address", call.peer.address},
                        {"method", std::string(http::to_string(call.request.verb))},
                        {"target", call.request.raw_target},
                        {"step", failed == nullptr ? std::string() : std::string(failed->check)},
                        {"found", failed == nullptr ? std::string() : failed->found},
                        {"steps", pki::to_text(verdict)},
                        {"tracking", call.tracking}});
    auto evidence = std::make_shared<const Evidence>(Evidence{identity, std::move(verdict)});
    return std::unexpected(Refusal{ErrorCode::iot_hub_unauthorized, std::move(text), std::move(evidence)});
}

/// A verdict of one step, for what fails before anything is judged.
pki::Verdict one_failure(std::string_view check, std::string expected, std::string found) {
    pki::Verdict verdict;
    verdict.fail(check, -1, std::move(expected), std::move(found));
    return verdict;
}

/// What a caller hears of a refusal. Only who has proven possession of the key hears more than "no": anybody
/// else could learn which identities and policies exist. The log has all of it.
std::string public_text(const pki::Verdict& verdict) {
    const auto proven = [](const pki::Step& step) {
        return step.outcome == pki::Outcome::passed &&
               (step.check == trust::checks::token_signature || step.check == trust::checks::leaf_thumbprint);
    };
    const auto* failed = verdict.first_failure();
    if (failed != nullptr && std::ranges::any_of(verdict.steps, proven)) {
        if (failed->check == trust::checks::token_expiry) return "the token has expired, renew it";
        if (failed->check == trust::checks::token_resource) return "the token is for another resource";
        if (failed->check == trust::checks::leaf_validity)
            return "the certificate is outside its validity period";
    }
    return "authentication failed, renew the token or certificate";
}

/// The token of the Authorization header; nullopt: there is none.
std::expected<std::optional<std::string>, Refusal> token_of(const Call& call, Needs needs) {
    const auto header = call.request.headers.get("Authorization");
    if (!header) return std::nullopt;
    if (base::equal_ignoring_case(header->substr(0, bearer.size()), bearer)) {
        if (needs != Needs::owner) {
            return unauthorized(
                call, {}, one_failure(trust::checks::token_form, "a SharedAccessSignature", "a Bearer token"),
                "a Bearer token is not accepted here");
        }
        const auto text = base::trim(header->substr(bearer.size()));
        return text.starts_with(scheme) ? std::string(text) : std::string(scheme) + std::string(text);
    }
    return std::string(*header);
}

/// The hub's resource that this request is about, for the audience of tokens.
std::string wanted_resource(const Call& call) {
    std::string path = call.services.config.name();
    if (call.captured.contains("d")) {
        path += "/devices/" + call.at("d");
        if (call.captured.contains("m")) path += "/modules/" + call.at("m");
    } else if (!call.request.target.segments.empty()) {
        path += "/" + call.request.target.segments.front();
    }
    return path;
}

bool allows(const registry::Policy& policy, Needs needs) {
    switch (needs) {
        case Needs::registry_read:
            return policy.has(Right::registry_read);
        case Needs::registry_write:
            return policy.has(Right::registry_write);
        case Needs::service_connect:
            return policy.has(Right::service_connect);
        case Needs::own_modules_read:
            return policy.has(Right::registry_read) || policy.has(Right::device_connect);
        case Needs::own_modules_write:
            return policy.has(Right::registry_write) || policy.has(Right::device_connect);
        case Needs::device:
            return policy.has(Right::device_connect);
        case Needs::edge_hub:
            return false;
        case Needs::owner:
            return policy.name == owner_policy;
    }
    return false;
}

std::string_view right_name(Needs needs) {
    switch (needs) {
        case Needs::registry_read:
            return "RegistryRead";
        case Needs::registry_write:
            return "RegistryWrite";
        case Needs::service_connect:
            return "ServiceConnect";
        case Needs::own_modules_read:
            return "RegistryRead or DeviceConnect";
        case Needs::own_modules_write:
            return "RegistryWrite or DeviceConnect";
        case Needs::device:
            return "DeviceConnect";
        case Needs::edge_hub:
            return "being the $edgeHub module itself";
        case Needs::owner:
            return "being iothubowner";
    }
    return "";
}

std::expected<Caller, Refusal> by_policy(const Call& call, Needs needs, const trust::SasToken& token) {
    auto policy = call.here.reader->policy(token.policy.value_or(std::string()));
    if (!policy) return std::unexpected(to_refusal(policy.error()));
    auto verdict =
        check_policy_token(token, *policy, wanted_resource(call), call.services.config.names, call.now);
    if (!verdict.accepted()) {
        auto text = public_text(verdict);
        return unauthorized(call, {}, std::move(verdict), std::move(text));
    }
    if (!allows(**policy, needs)) {
        const std::string needed(right_name(needs));
        verdict.fail(policy_right, -1, needed, "policy " + (*policy)->name);
        return unauthorized(call, {}, std::move(verdict),
                            "policy " + (*policy)->name + " does not allow access, it needs " + needed);
    }
    return Caller{(*policy)->name, std::nullopt};
}

/// Which identity has to prove itself for this route; nullopt where none may.
std::optional<trust::Identity> identity_for(const Call& call, Needs needs) {
    switch (needs) {
        case Needs::own_modules_read:
        case Needs::own_modules_write:
            return trust::Identity{call.at("d"), {}};
        case Needs::device:
            return call.identity();
        case Needs::edge_hub:
            return trust::Identity{call.at("d"), "$edgeHub"};
        case Needs::registry_read:
        case Needs::registry_write:
        case Needs::service_connect:
        case Needs::owner:
            return std::nullopt;
    }
    return std::nullopt;
}

std::expected<Caller, Refusal> by_identity(const Call& call, const trust::Identity& identity,
                                           std::string_view token) {
    auto record = call.here.reader->record(identity);
    if (!record) return std::unexpected(to_refusal(record.error()));
    trust::Presented presented;
    presented.claimed = identity;
    presented.token = token;
    presented.certificates = &call.peer.certificates;
    const auto anchors = call.services.anchors.current();
    trust::Context context;
    context.hosts = call.services.config.names;
    context.device_cas = anchors.get();
    const auto crls = call.services.crls.current();
    context.revocation = {crls.get(), call.services.crls.max_age()};
    context.now = call.now;
    auto decision = trust::authenticate(presented, *record ? &**record : nullptr, context);
    if (!decision.verdict.accepted()) {
        auto text = public_text(decision.verdict);
        return unauthorized(call, identity, std::move(decision.verdict), std::move(text));
    }
    base::log::info(base::events::caller_accepted, {{"device", identity.device},
                                                    {"module", identity.module},
                                                    {"address", call.peer.address},
                                                    {"target", call.request.raw_target},
                                                    {"steps", pki::to_text(decision.verdict)}});
    return Caller{{}, Sender{identity, (*record)->generation, decision.method}};
}

}  // namespace

std::expected<Caller, Refusal> authorize(const Call& call, Needs needs) {
    const auto token = token_of(call, needs);
    if (!token) return std::unexpected(token.error());
    const auto identity = identity_for(call, needs);
    if (!*token) {
        if (!identity || call.peer.certificates.empty()) {
            return unauthorized(
                call, identity.value_or(trust::Identity{}),
                one_failure(trust::checks::credential_present, "a token or a client certificate",
                            "neither Authorization header nor certificate"),
                "the authorization header is missing");
        }
        return by_identity(call, *identity, {});
    }
    const auto parsed = trust::SasToken::parse(**token);
    if (!parsed) {
        return unauthorized(
            call, identity.value_or(trust::Identity{}),
            one_failure(trust::checks::token_form, "a SharedAccessSignature", parsed.error().reason),
            "the token is malformed: " + parsed.error().reason);
    }
    if (parsed->policy || !identity) return by_policy(call, needs, *parsed);
    return by_identity(call, *identity, **token);
}

}  // namespace hub
