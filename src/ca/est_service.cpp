// SPDX-License-Identifier: Apache-2.0
#include "ca/est_service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ca/est_answers.hpp"
#include "ca/events.hpp"
#include "est/csrattrs.hpp"
#include "pki/certs_only.hpp"

namespace ca {
namespace {

constexpr std::size_t worker_threads = 2;
constexpr std::string_view pkcs10 = "application/pkcs10";
constexpr std::string_view for_an_hour = "max-age=3600";

bool is_read(est::Operation operation) {
    return operation == est::Operation::cacerts || operation == est::Operation::csrattrs;
}

base::Result<std::vector<BootstrapAnchors>> load_bootstraps(const EstConfig& config) {
    std::vector<BootstrapAnchors> all;
    for (const auto& one : config.bootstraps) {
        if (one.anchors.empty()) continue;
        SP_TRY(return, const auto pem, base::read_file(one.anchors, "bootstrap CA"));
        SP_TRY(return, auto trust, pki::TrustBundle::from_pem(pem, "bootstrap CA " + one.anchors.string()));
        all.push_back({&one, std::move(trust)});
    }
    return all;
}

std::string_view media_type(std::string_view field) {
    return base::trim(field.substr(0, field.find(';')));
}

Granted<void> check_body_head(const http::Request& request) {
    if (!request.headers.get("Content-Length") && !request.headers.get("Transfer-Encoding"))
        return refuse_with("http.length", "the request has no Content-Length");
    const auto type = request.headers.get("Content-Type");
    if (!type)
        return refuse_with("http.type",
                           "Content-Type is missing; send application/pkcs10 (a client with a "
                           "password of more than 170 characters may have lost it)");
    if (!base::equal_ignoring_case(media_type(*type), pkcs10))
        return refuse_with("http.type", "Content-Type must be application/pkcs10");
    return {};
}

}  // namespace

EstService::EstService(Ledger& ledger, Approvals& approvals, const base::Clock& clock, CallerRules rules)
    : ledger_(ledger),
      approvals_(approvals),
      clock_(clock),
      rules_(std::move(rules)),
      users_(ledger.config().est),
      rate_(ledger.config().est.per_name_per_hour),
      refusals_([&ledger](Event event) { ledger.write(std::move(event)); }),
      workers_(worker_threads) {}

base::Result<std::unique_ptr<EstService>> EstService::open(Ledger& ledger, Approvals& approvals,
                                                           const base::Clock& clock) {
    SP_TRY(return, auto bootstraps, load_bootstraps(ledger.config().est));
    CallerRules rules{
        .config = ledger.config(),
        // Each CA of ours is an anchor: what stands above it need not be verified again for each device.
        .own = pki::TrustBundle(ledger.published()),
        .intermediates = ledger.published(),
        .bootstraps = std::move(bootstraps),
        .find = [&ledger](const pki::Certificate& certificate) { return ledger.find(certificate); },
        .is_blocked = [&ledger](const std::string& device) { return ledger.is_blocked(device); }};
    return std::unique_ptr<EstService>(new EstService(ledger, approvals, clock, std::move(rules)));
}

http::Response EstService::answer_of_server(int status, std::string_view reason) {
    std::string_view id = "http.framing";
    if (status == 408) id = "http.timeout";
    if (status == 413) id = "http.size";
    if (status == 431 || status == 414 || status == 417) id = "http.header";
    if (status == 400 && reason.starts_with("the target")) id = "http.path";
    if (status == 500) id = "internal";
    return refusal_answer({.id = id, .text = std::string(reason), .status = status});
}

http::Response EstService::refuse(const Call& call, const Refusal& refusal) {
    const auto rule = rule_of(refusal.id);
    const auto operation = std::string(est::to_string(call.path.operation));
    base::log::info(events::est_refused, {{"peer", call.peer},
                                          {"operation", operation},
                                          {"label", call.label ? call.label->name : call.path.label},
                                          {"reason", std::string(refusal.id)},
                                          {"text", refusal.text}});
    if (rule.audited)
        refusals_.note({.kind = "refuse",
                        .actor = call.actor,
                        .label = call.label ? call.label->name : "",
                        .profile = call.profile,
                        .reason = std::string(refusal.id),
                        .serial = {},
                        .subject = call.subject,
                        .detail = operation},
                       clock_.now());
    return refusal_answer(refusal);
}

net::Task<http::Response> EstService::answer(http::Request request, const net::Peer& peer) {
    Call call{.path = {{}, est::Operation::cacerts}, .peer = address_alone(peer.address), .user_agent = {}};
    call.user_agent = request.headers.get("User-Agent").value_or("");
    call.actor = {.kind = Actor::Kind::issued, .id = {}, .peer = call.peer};
    auto serving = serve(call, request, peer);
    auto answer = co_await std::move(serving);
    if (answer) co_return std::move(*answer);
    auto refused = refuse(call, answer.error());
    if (refused.status == 405)
        refused.headers.add("Allow", is_read(call.path.operation) ? "GET, HEAD" : "POST");
    co_return refused;
}

Granted<void> EstService::find_label(Call& call, const http::Request& request) const {
    auto path = est::read_path(path_of_target(request.raw_target));
    if (!path) {
        const bool malformed = path.error().code == base::Code::malformed;
        return std::unexpected(Refusal{
            .id = "http.path", .text = "the " + path.error().text(), .status = malformed ? 400 : 404});
    }
    call.path = *std::move(path);
    const auto& est = rules_.config.est;
    call.label = est.label(call.path.label.empty() ? est.default_label : call.path.label);
    if (!call.label) return refuse_with("est.label", "there is no such label");
    return {};
}

net::Task<EstService::Answer> EstService::serve(Call& call, const http::Request& request,
                                                const net::Peer& peer) {
    if (auto fine = find_label(call, request); !fine) co_return std::unexpected(fine.error());
    const auto operation = call.path.operation;
    if (is_read(operation)) {
        if (request.verb != http::Verb::get && request.verb != http::Verb::head)
            co_return refuse_with("http.method", "this operation is read with GET");
        co_return operation == est::Operation::cacerts ? cacerts(call) : csrattrs(call);
    }
    if (request.verb != http::Verb::post)
        co_return refuse_with("http.method", "this operation takes POST alone");
    if (operation == est::Operation::fullcmc)
        co_return refuse_with("op.unsupported", "Full CMC is not offered; use simpleenroll");
    if (auto fine = check_body_head(request); !fine) co_return std::unexpected(fine.error());
    auto proving = authenticate(call, request, peer);
    auto caller = co_await std::move(proving);
    if (!caller) co_return std::unexpected(caller.error());
    call.actor = caller->actor;
    if (auto fine = admit(*caller, *call.label, operation); !fine) co_return std::unexpected(fine.error());
    auto enrolling = enrol(call, request, *std::move(caller));
    auto answer = co_await std::move(enrolling);
    co_return answer;
}

net::Task<Granted<Caller>> EstService::authenticate(Call& call, const http::Request& request,
                                                    const net::Peer& peer) {
    // A certificate that is no good is not made good by a password (est-and-pki.md 1.12).
    if (!peer.certificates.empty()) {
        call.subject = peer.certificates.front().subject();
        auto caller =
            judge_certificate(rules_, peer.certificates, call.path.operation, call.peer, clock_.now());
        if (caller) call.subject.clear();
        co_return caller;
    }
    const auto field = request.headers.get("Authorization");
    if (!field) {
        if (call.path.operation == est::Operation::simplereenroll)
            co_return refuse_with("reenroll.certificate", "a renewal needs the certificate that is renewed");
        co_return refuse_with("auth.none", "present a client certificate, or user and password");
    }
    auto logging_in = log_in(call, *field);
    auto caller = co_await std::move(logging_in);
    co_return caller;
}

net::Task<Granted<Caller>> EstService::log_in(Call& call, std::string_view field) {
    auto read = read_basic(field);
    if (!read) co_return std::unexpected(read.error());
    const auto credentials = std::make_shared<const Credentials>(*std::move(read));
    call.actor = {.kind = Actor::Kind::user, .id = credentials->user.substr(0, 256), .peer = call.peer};
    const auto now = clock_.now();
    if (auto fine = users_.may_try(credentials->user, call.peer, now); !fine)
        co_return std::unexpected(fine.error());
    const auto* user = users_.remembered(*credentials, now);
    if (!user) {
        using Found = std::optional<const UserConfig*>;
        std::function<Found()> look = [this, credentials, peer = call.peer, now]() -> Found {
            return users_.verify(*credentials, peer, now);
        };
        auto looking = run_beside<Found>(workers_, std::move(look), std::nullopt);
        const auto found = co_await std::move(looking);
        if (!found)
            co_return refuse_for_now("ca.unavailable", "too many logins wait", std::chrono::seconds{10});
        user = *found;
    }
    if (!user) co_return refuse_with("auth.password", "user or password is wrong");
    Caller caller{.actor = call.actor, .device = {}, .entry = {}, .certificate = {}, .user = user};
    co_return caller;
}

http::Response EstService::cacerts(const Call& call) const {
    const auto der = pki::certs_only(ledger_.published());
    // Without the parameter: there are readers that want it exactly so (est-and-pki.md 8).
    return base64_answer("application/pkcs7-mime", est::write_body(der, call.user_agent), for_an_hour);
}

http::Response EstService::csrattrs(const Call& call) const {
    const auto& profiles = call.label->profiles;
    const auto wanted = profiles.contains(Actor::Kind::est_identity) ? profiles.at(Actor::Kind::est_identity)
                        : profiles.empty()                           ? pki::Profile::device
                                                                     : profiles.begin()->second;
    const auto own = rules_.config.profile(wanted);
    const auto& uses = pki::rules(wanted).extended_key_usage;
    const auto has = [&](std::string_view use) { return std::ranges::find(uses, use) != uses.end(); };
    const est::CsrWishes wishes{.key = own.key_type.value_or(pki::KeyType::ec_p256),
                                .client_auth = has("clientAuth") || own.client_auth,
                                .server_auth = has("serverAuth")};
    return base64_answer("application/csrattrs",
                         est::write_body(est::csr_attributes(wishes), call.user_agent), for_an_hour);
}

}  // namespace ca
