// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/log.hpp"
#include "ca/est_answers.hpp"
#include "ca/est_service.hpp"
#include "ca/events.hpp"
#include "est/keygen_answer.hpp"
#include "net/completion.hpp"
#include "pki/certs_only.hpp"
#include "pki/private_key_info.hpp"
#include "pki/subject_name.hpp"

namespace ca {
namespace {

constexpr std::chrono::seconds operator_wait{60};
constexpr std::chrono::seconds trouble_wait{60};
constexpr std::chrono::minutes rate_wait{10};
constexpr std::size_t boundary_size = 16;

/// The request as DER, whatever form it came in.
Granted<base::Bytes> body_of(const http::Request& request) {
    if (base::trim(request.body).empty()) return refuse_with("body.empty", "the request has no body");
    bool pem = false;
    auto der = est::read_body(request.body, &pem);
    if (!der) return refuse_with("body.base64", "the " + der.error().text());
    if (pem) base::log::debug(events::est_pem_taken, {});
    return *std::move(der);
}

Granted<pki::Csr> request_of(const http::Request& request, est::Operation operation) {
    const auto der = body_of(request);
    if (!der) return std::unexpected(der.error());
    const auto key = operation == est::Operation::serverkeygen ? pki::CsrKey::ignored : pki::CsrKey::checked;
    auto csr = pki::examine_csr(*der, key, "the request");
    if (!csr) return refuse_with(csr.error().id, csr.error().error.text());
    return *std::move(csr);
}

Refusal refusal_of(const base::Error& error) {
    switch (error.code) {
        case base::Code::invalid_argument:
            return {.id = "name.subject", .text = error.text()};
        case base::Code::unavailable:
            if (error.thing.starts_with("issuer"))
                return {.id = "ca.expiring",
                        .text = "the issuing CA ends too soon for this certificate",
                        .retry_after = trouble_wait};
            [[fallthrough]];
        case base::Code::disk_full:
        case base::Code::io:
        case base::Code::timeout:
        case base::Code::rate_limited:
            return {.id = "ca.unavailable",
                    .text = "the CA cannot issue now; its log says why",
                    .retry_after = trouble_wait};
        default:
            return {.id = "internal", .text = "the CA failed; its log says why"};
    }
}

}  // namespace

net::Task<EstService::Answer> EstService::enrol(Call& call, const http::Request& request, Caller caller) {
    const bool keygen = call.path.operation == est::Operation::serverkeygen;
    if (keygen) {
        const auto found = call.label->profiles.find(caller.actor.kind);
        if (found == call.label->profiles.end() || !rules_.config.profile(found->second).serverkeygen)
            co_return refuse_with("op.disabled", "keys are not made here for this profile");
    }
    const auto csr = request_of(request, call.path.operation);
    if (!csr) co_return std::unexpected(csr.error());
    call.subject = csr->subject;
    const Petition petition{.caller = caller,
                            .label = *call.label,
                            .label_given = !call.path.label.empty(),
                            .operation = call.path.operation,
                            .csr = *csr};
    const auto grant = decide(rules_.config, petition);
    if (!grant) co_return std::unexpected(grant.error());
    call.profile = pki::to_string(grant->profile);
    if (!keygen)
        if (auto fine = check_known_key(csr->key, *grant); !fine) co_return std::unexpected(fine.error());
    if (rules_.is_blocked(grant->device)) co_return refuse_with("auth.blocked", "this device is blocked");
    if (grant->manual)
        if (auto fine = ask_operator(call, caller, *grant, *csr); !fine)
            co_return std::unexpected(fine.error());
    if (!rate_.take(caller.actor.text(), grant->common_name, clock_.now()))
        co_return refuse_for_now("rate.limit", "too many certificates for this name within an hour",
                                 rate_wait);
    if (keygen) {
        auto making = make_key_and_issue(call, caller, *grant);
        auto answer = co_await std::move(making);
        co_return answer;
    }
    auto issuing = issue(call, caller, *grant, csr->key);
    auto answer = co_await std::move(issuing);
    if (!answer && grant->manual)
        (void)approvals_.give_back(question_of(call, caller, *grant, csr->key), clock_.now());
    co_return answer;
}

Granted<void> EstService::check_known_key(const pki::PublicKey& key, const Grant& grant) const {
    for (const auto& ca : ledger_.published())
        if (pki::PublicKey::of(ca) == key) return refuse_with("key.known", "the key is that of a CA");
    const auto digest = pki::key_digest(key);
    if (ledger_.is_compromised(digest))
        return refuse_with("key.known",
                           "the key is that of a certificate revoked because it fell into other hands");
    const auto known = ledger_.find_key(digest);
    if (known && known->device != grant.device)
        return refuse_with("key.known", "the key is certified for another device");
    return {};
}

Approvals::Question EstService::question_of(const Call& call, const Caller& caller, const Grant& grant,
                                            const pki::PublicKey& key) const {
    return {.caller = caller.actor.text(),
            .label = call.label->name,
            .profile = std::string(pki::to_string(grant.profile)),
            .subject = call.subject,
            .names = grant.names,
            .spki = pki::key_digest(key)};
}

Granted<void> EstService::ask_operator(const Call& call, const Caller& caller, const Grant& grant,
                                       const pki::Csr& csr) {
    const auto answer = approvals_.ask(question_of(call, caller, grant, csr.key), clock_.now());
    if (!answer) {
        base::log::error(events::approvals_failed, answer.error());
        return refuse_for_now("ca.unavailable", "the CA cannot issue now; its log says why", trouble_wait);
    }
    switch (*answer) {
        case Approvals::Answer::granted:
            return {};
        case Approvals::Answer::denied:
            return refuse_with("policy.denied", "an operator has denied this request");
        case Approvals::Answer::asked:
            ledger_.write({.kind = "pending",
                           .actor = caller.actor,
                           .label = call.label->name,
                           .profile = std::string(pki::to_string(grant.profile)),
                           .reason = "policy.pending",
                           .serial = {},
                           .subject = call.subject,
                           .detail = {}});
            [[fallthrough]];
        case Approvals::Answer::waiting:
            break;
    }
    return refuse_for_now("policy.pending", "the request waits for an operator; repeat it as it is",
                          operator_wait);
}

net::Task<Granted<pki::Certificate>> EstService::order(const Call& call, const Caller& caller,
                                                       const Grant& grant, pki::PublicKey key) {
    Order wish{.profile = grant.profile, .key = std::move(key)};
    wish.common_name = grant.common_name;
    wish.subject_der = grant.subject_der;
    wish.names = grant.names;
    wish.client_auth = rules_.config.profile(grant.profile).client_auth;
    wish.label = call.label->name;
    wish.device = grant.device;
    wish.actor = caller.actor;
    wish.replaces = grant.replaces;
    wish.detail = grant.detail;
    if (grant.manual) wish.detail += wish.detail.empty() ? "approved" : "; approved";
    const auto start = [this, &wish](std::function<void(base::Result<pki::Chain>)> done) {
        ledger_.issue(wish, std::move(done));
    };
    auto issuing = net::await_callback<base::Result<pki::Chain>>(start);
    auto chain = co_await std::move(issuing);
    if (chain) co_return chain->front();
    base::log::error(events::est_issue_failed, chain.error(), {{"subject", call.subject}});
    co_return std::unexpected(refusal_of(chain.error()));
}

net::Task<EstService::Answer> EstService::issue(Call& call, const Caller& caller, const Grant& grant,
                                                pki::PublicKey key) {
    auto ordering = order(call, caller, grant, std::move(key));
    auto leaf = co_await std::move(ordering);
    if (!leaf) co_return std::unexpected(leaf.error());
    base::log::info(events::est_issued, {{"peer", call.peer},
                                         {"caller", caller.actor.text()},
                                         {"label", call.label->name},
                                         {"profile", std::string(pki::to_string(grant.profile))},
                                         {"serial", base::to_lower(leaf->serial_hex())},
                                         {"subject", leaf->subject()}});
    // The leaf alone (est-and-pki.md 1.6).
    const auto message = pki::certs_only(std::span(&*leaf, 1));
    co_return base64_answer(certs_only_type, est::write_body(message, call.user_agent), "no-store");
}

net::Task<EstService::Answer> EstService::make_key_and_issue(Call& call, const Caller& caller,
                                                             const Grant& grant) {
    const auto type = rules_.config.profile(grant.profile).key_type.value_or(pki::KeyType::ec_p256);
    using Made = std::shared_ptr<pki::PrivateKey>;
    std::function<Made()> make = [type]() -> Made {
        auto key = pki::PrivateKey::generate(type);
        return key ? std::make_shared<pki::PrivateKey>(*std::move(key)) : nullptr;
    };
    auto making = run_beside<Made>(workers_, std::move(make), nullptr);
    const auto key = co_await std::move(making);
    if (!key) co_return refuse_for_now("ca.unavailable", "no key can be made now", trouble_wait);
    auto ordering = order(call, caller, grant, key->public_key());
    auto leaf = co_await std::move(ordering);
    if (!leaf) co_return std::unexpected(leaf.error());
    const auto pkcs8 = pki::private_key_info(*key);
    if (!pkcs8) co_return refuse_with("internal", "the key could not be written");
    const auto boundary = base::to_hex(pki::random_bytes(boundary_size));
    http::Response answer;
    answer.headers.add("Content-Type", "multipart/mixed; boundary=" + boundary);
    answer.headers.add("Cache-Control", "no-store");
    answer.body = est::keygen_body(boundary, *pkcs8, pki::certs_only(std::span(&*leaf, 1)));
    co_return answer;
}

}  // namespace ca
