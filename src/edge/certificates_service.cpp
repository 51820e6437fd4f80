// SPDX-License-Identifier: Apache-2.0
#include "edge/certificates_service.hpp"

#include <fmt/format.h>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/est_identities.hpp"
#include "edge/issuance.hpp"

namespace edge {
namespace {

constexpr std::string_view temporary = "-temp";
const std::string device_certificate_id = "device-id";

int status_of_certificates(base::Code code) {
    return code == base::Code::rate_limited ? 503 : status_of_store(code);
}

void log_issued(const std::string& id, const pki::Certificate& leaf, std::optional<uid_t> user) {
    base::log::info(base::events::certificate_issued, {{"id", id},
                                                       {"subject", leaf.subject()},
                                                       {"issuer", leaf.issuer()},
                                                       {"serial", leaf.serial_hex()},
                                                       {"not_after", base::format_rfc3339(leaf.not_after())},
                                                       {"user", std::to_string(user.value_or(0))}});
}

// The key of a module's server certificate is in the module's memory alone: after a restart it asks for
// another one, and the file tells what was issued.
bool is_record(std::string_view id) {
    return id.starts_with("aziot-edged/module/") && id.ends_with(":server");
}

// An issuer that may not sign is our operator's trouble; a name, a subject or a key that cannot stand in the
// certificate is the caller's.
bool is_callers_mistake(const base::Error& error) {
    return error.code == base::Code::invalid_argument && !error.thing.starts_with("issuer ");
}

}  // namespace

base::Result<std::unique_ptr<CertificatesService>> CertificatesService::make(CertificatesConfig config,
                                                                             const base::Clock& clock,
                                                                             ClockFloor* floor) {
    SP_TRY(return, auto store, CertificateStore::open(config.home, config.preloaded));
    return std::unique_ptr<CertificatesService>(
        new CertificatesService(std::move(config), std::move(store), clock, floor));
}

CertificatesService::CertificatesService(CertificatesConfig config, CertificateStore store,
                                         const base::Clock& clock, ClockFloor* floor)
    : config_(std::move(config)),
      store_(std::move(store)),
      clock_(clock),
      floor_(floor),
      keys_(config_.keys_socket.string(), clock, connections_to_keys) {
    using http::Verb;
    const std::string_view first = "2020-09-01";
    std::vector<Route> routes{
        {Verb::post, "/certificates", first, Body::required, [this](Call c) { return create(std::move(c)); }},
        {Verb::put, "/certificates/{id}", first, Body::required, [this](Call c) { return ready(import(c)); }},
        {Verb::get, "/certificates/{id}", first, Body::none, [this](Call c) { return ready(read(c)); }},
        {Verb::delete_, "/certificates/{id}", first, Body::optional,
         [this](Call c) { return ready(remove(c)); }},
    };
    api_ = std::make_unique<LocalApi>("certificates", std::vector<std::string>{"2020-09-01"},
                                      std::move(routes), status_of_certificates);
    if (config_.est) est_ = std::make_unique<EstIssuer>(config_, store_, keys_, clock_);
}

net::Task<> CertificatesService::keep_identity() {
    if (!est_) co_return;
    co_await est_->keep_identities();
}

void CertificatesService::stop() {
    if (est_) est_->stop();
}

base::Status CertificatesService::may_write(const Call& call, std::string_view id) const {
    if (is_allowed(config_.rules, call.caller.user, id)) return {};
    return base::fail(
        base::Code::unauthenticated,
        fmt::format("user {} is not authorized to modify the cert {}", call.caller.user.value_or(0), id), "");
}

base::Status CertificatesService::check_clock() const {
    if (!floor_) return {};
    std::optional<base::Instant> not_before;
    const auto pem = store_.read(device_certificate_id);
    if (pem && !config_.issuance.contains(device_certificate_id))
        if (const auto chain = pki::certificates_from_pem(*pem, "device certificate"))
            not_before = chain->front().not_before();
    floor_->set_own_not_before(not_before);
    return floor_->sound();
}

base::Result<pki::Chain> CertificatesService::issuer_chain(const std::string& id) const {
    auto chain = store_.chain(id);
    if (!chain && chain.error().code == base::Code::not_found)
        return bad_parameter("issuer.certId", "not found");
    // A damaged file of ours is no mistake of the caller's.
    if (!chain)
        return base::fail(base::Code::internal, chain.error().thing, chain.error().reason, chain.error().fix);
    return chain;
}

net::Task<base::Result<CertificatesService::Issuer>> CertificatesService::issuer_for(
    std::string id, json::value body, pki::PublicKey wanted) const {
    Issuer out;
    if (has_member(body, "issuer")) {
        auto given = object_member(body, "issuer");
        if (!given) co_return std::unexpected(std::move(given).error());
        auto issuer_id = text_member(*given, "certId");
        if (!issuer_id) co_return std::unexpected(std::move(issuer_id).error());
        auto handle = text_member(*given, "privateKeyHandle");
        if (!handle) co_return std::unexpected(std::move(handle).error());
        auto chain = issuer_chain(*issuer_id);
        if (!chain) co_return std::unexpected(std::move(chain).error());
        out.chain = *std::move(chain);
        out.key_handle = *std::move(handle);
        co_return out;
    }
    const auto entry = config_.issuance.find(id);
    if (entry == config_.issuance.end())
        co_return base::fail(base::Code::internal, fmt::format("certificate id {}", id),
                             "has no issuance of its own",
                             fmt::format("add [cert_issuance.{}], or name an issuer", id));
    if (entry->second.method == Issuance::Method::est)
        co_return base::fail(base::Code::internal, fmt::format("certificate id {}", id),
                             "is to come from an EST server, of which there is none",
                             "add [cert_issuance.est]");
    if (entry->second.method == Issuance::Method::self_signed) {
        auto own = co_await self_signing_key(std::move(id), std::move(wanted));
        if (!own) co_return base::fail(base::Code::internal, own.error().thing, own.error().reason);
        out.key_handle = *std::move(own);
        co_return out;
    }
    if (!config_.local_ca)
        co_return base::fail(base::Code::internal, "local CA", "is not configured",
                             "add [cert_issuance.local_ca]");
    auto chain = issuer_chain(config_.local_ca->first);
    if (!chain) co_return std::unexpected(std::move(chain).error());
    out.chain = *std::move(chain);
    auto handle = co_await keys_.load_pair(config_.local_ca->second);
    if (!handle) co_return base::fail(base::Code::internal, handle.error().thing, handle.error().reason);
    out.key_handle = *std::move(handle);
    co_return out;
}

// A renewal without a new key asks for the certificate under "<id>-temp", and only the key of "<id>" is
// there.
net::Task<base::Result<std::string>> CertificatesService::self_signing_key(std::string id,
                                                                           pki::PublicKey wanted) const {
    std::vector<std::string> ids{id};
    if (id.ends_with(temporary)) ids.push_back(id.substr(0, id.size() - temporary.size()));
    for (const auto& each : ids) {
        auto handle = co_await keys_.load_pair(each);
        if (!handle && handle.error().code == base::Code::not_found) continue;
        if (!handle) co_return std::unexpected(std::move(handle).error());
        auto key = co_await keys_.private_key(*handle);
        if (!key) co_return std::unexpected(std::move(key).error());
        if (key->public_key() == wanted) co_return handle;
    }
    co_return base::fail(base::Code::internal, "certificate request for " + id,
                         "is not for the key of this id, which signs it",
                         "make the request with the key pair " + id);
}

base::Result<pki::Certificate> CertificatesService::sign(const pki::IssueInput& input,
                                                         const Issuer& issuer) const {
    const auto* above = issuer.chain.empty() ? nullptr : &issuer.chain.front();
    const auto signer = above ? pki::PublicKey::of(*above) : input.key;
    SP_TRY(return, const auto remote, keys_.private_key_of(issuer.key_handle, signer));
    auto made = pki::issue(input, above, remote.key, clock_.now());
    if (!made && *remote.failure) {
        const auto& why = **remote.failure;
        if (why.code == base::Code::invalid_argument)
            return bad_parameter("issuer.privateKeyHandle", why.text());
        return base::fail(base::Code::internal, why.thing, why.reason, why.fix);
    }
    if (!made && is_callers_mistake(made.error())) return bad_parameter("csr", made.error().text());
    if (!made)
        return base::fail(base::Code::internal, made.error().thing, made.error().reason, made.error().fix);
    // The handle may be that of another key than the issuer's.
    if (!pki::is_signed_by(*made, signer))
        return base::fail(base::Code::internal,
                          above ? "issuer " + above->subject() : "self-signed certificate",
                          "does not belong to the key that would sign",
                          "the key and the certificate of an issuer must be a pair");
    return made;
}

std::optional<Issuance> CertificatesService::issuance_of(const std::string& id) const {
    auto found = config_.issuance.find(id);
    if (found == config_.issuance.end() && is_record(id))
        found = config_.issuance.find(module_server_certificates);
    return found == config_.issuance.end() ? std::nullopt : std::optional(found->second);
}

net::Task<base::Result<pki::Chain>> CertificatesService::issue_here(std::string id, json::value body,
                                                                    pki::Csr csr,
                                                                    std::optional<Issuance> wish) {
    const auto input = issue_input(id, csr, wish);
    if (!input) co_return std::unexpected(input.error());
    auto issuer = co_await issuer_for(std::move(id), std::move(body), csr.key);
    if (!issuer) co_return std::unexpected(std::move(issuer).error());
    auto made = sign(*input, *issuer);
    if (!made) co_return std::unexpected(std::move(made).error());
    pki::Chain chain{*std::move(made)};
    chain.insert(chain.end(), issuer->chain.begin(), issuer->chain.end());
    co_return chain;
}

net::Task<Answer> CertificatesService::create(Call call) {
    auto id = text_member(call.body, "certId");
    if (!id) co_return std::unexpected(std::move(id).error());
    auto csr_pem = text_member(call.body, "csr");
    if (!csr_pem) co_return std::unexpected(std::move(csr_pem).error());
    if (auto allowed = may_write(call, *id); !allowed) co_return std::unexpected(std::move(allowed).error());
    if (auto good = check_clock(); !good) co_return std::unexpected(std::move(good).error());
    const auto csr = pki::csr_from_pem(*csr_pem);
    if (!csr) co_return bad_parameter("csr", csr.error().text());
    const auto wish = issuance_of(*id);
    const bool by_est =
        est_ && wish && wish->method == Issuance::Method::est && !has_member(call.body, "issuer");
    base::Result<pki::Chain> chain = pki::Chain();
    if (by_est) {
        if (auto good = check_request(*id, *csr); !good) co_return std::unexpected(std::move(good).error());
        chain = co_await est_->issue(*id, *csr_pem, *csr, *wish);
    } else {
        chain = co_await issue_here(*id, call.body, *csr, wish);
    }
    if (!chain) co_return std::unexpected(std::move(chain).error());
    const auto written = is_record(*id) ? store_.write_later(*id, *chain) : store_.write(*id, *chain);
    if (!written) co_return std::unexpected(written.error());
    log_issued(*id, chain->front(), call.caller.user);
    co_return ok({{"pem", pki::to_pem(*chain)}}, 201);
}

Answer CertificatesService::import(const Call& call) {
    const auto& id = call.ids[0];
    SP_TRY(return, const auto pem, text_member(call.body, "pem"));
    if (auto allowed = may_write(call, id); !allowed) return std::unexpected(allowed.error());
    const auto chain = pki::certificates_from_pem(pem, "pem");
    if (!chain) return bad_parameter("pem", chain.error().text());
    if (auto written = store_.write(id, *chain); !written) return std::unexpected(written.error());
    return ok({{"pem", pki::to_pem(*chain)}}, 201);
}

Answer CertificatesService::read(const Call& call) const {
    SP_TRY(return, const auto pem, store_.read(call.ids[0]));
    return ok({{"pem", pem}});
}

Answer CertificatesService::remove(const Call& call) {
    if (auto allowed = may_write(call, call.ids[0]); !allowed) return std::unexpected(allowed.error());
    if (auto good = check_clock(); !good) return std::unexpected(good.error());
    if (auto removed = store_.remove(call.ids[0]); !removed) return std::unexpected(removed.error());
    return no_content();
}

}  // namespace edge
