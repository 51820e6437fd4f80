// SPDX-License-Identifier: Apache-2.0
#include "edge/est_issuer.hpp"

#include <fmt/format.h>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/issuance.hpp"
#include "net/loop.hpp"

namespace edge {
namespace {

pki::Purpose purpose_of(pki::Profile profile) {
    switch (profile) {
        case pki::Profile::server:
            return pki::Purpose::server;
        case pki::Profile::edge_ca:
            return pki::Purpose::any;
        default:
            return pki::Purpose::client;
    }
}

/// One certificate is asked for once at a time.
class Asking {
  public:
    Asking(std::shared_ptr<std::set<std::string>> all, std::string id)
        : all_(std::move(all)), id_(std::move(id)) {
        all_->insert(id_);
    }
    ~Asking() { all_->erase(id_); }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

  private:
    std::shared_ptr<std::set<std::string>> all_;
    std::string id_;
};

// The subject stays what it was, by which the server knows an identity that renews itself.
net::Task<base::Result<pki::CsrWish>> identity_wish(CertificatesClient own, std::string id,
                                                    std::string common_name) {
    pki::CsrWish wish;
    wish.common_name = std::move(common_name);
    wish.usages = {"clientAuth"};
    auto present = co_await own.read_chain(std::move(id));
    if (present && !present->front().common_name().empty()) wish.common_name = present->front().common_name();
    co_return wish;
}

}  // namespace

EstIssuer::EstIssuer(const CertificatesConfig& config, const CertificateStore& store, KeysClient keys,
                     const base::Clock& clock)
    : config_(config),
      store_(store),
      keys_(std::move(keys)),
      own_(config.own_socket.string(), clock),
      clock_(clock),
      pace_(est_record_directory(config.home), clock) {
    if (config_.est) add_identity(config_.est->auth);
    for (const auto& [id, wish] : config_.issuance)
        if (wish.method == Issuance::Method::est) add_identity(wish.auth);
}

void EstIssuer::add_identity(const EstAuth& auth) {
    if (auth.identity_cert.empty() || identities_.contains(auth.identity_cert)) return;
    const bool obtained = !auth.bootstrap_identity_cert.empty();
    identities_[auth.identity_cert] =
        std::make_unique<Renewal>(identity_subject(auth.identity_cert, obtained), keys_, own_, clock_);
}

RenewalSubject EstIssuer::identity_subject(const std::string& id, bool obtained) const {
    RenewalSubject subject;
    subject.thing = id == "est-id" ? "EST identity" : "EST identity " + id;
    subject.id = id;
    subject.supplied = !obtained;
    subject.policy = config_.est->identity_renewal.value_or(RenewalPolicy{});
    subject.algorithms = "ec-p256:rsa-4096:*";
    subject.fix =
        "put a new certificate and its key into the files of identity_cert and identity_pk, or name a "
        "bootstrap certificate, with which an EST identity is obtained and renewed";
    const auto entry = config_.issuance.find(id);
    auto name = entry == config_.issuance.end() ? std::string() : entry->second.common_name.value_or("");
    subject.wish = [own = own_, id, name = std::move(name)] { return identity_wish(own, id, name); };
    return subject;
}

net::Task<> EstIssuer::keep_identities() {
    for (const auto& [id, renewal] : identities_) net::this_loop().spawn("keep " + id, renewal->run());
    co_return;
}

void EstIssuer::stop() {
    for (const auto& [id, renewal] : identities_) renewal->stop();
}

base::Result<est::Url> EstIssuer::url_of(const std::string& id, const Issuance& wish) const {
    std::string url = wish.url.value_or("");
    const auto& urls = config_.est->urls;
    for (const auto& key : {id, std::string(without_temp(id)), std::string("default")})
        if (const auto found = urls.find(key); url.empty() && found != urls.end()) url = found->second;
    if (url.empty())
        return base::fail(base::Code::internal, "certificate id " + id, "has no EST URL",
                          fmt::format("add url, or \"{}\" to [cert_issuance.est.urls]", without_temp(id)));
    return est::parse_url(url);
}

base::Result<std::shared_ptr<const pki::TrustBundle>> EstIssuer::trust() const {
    std::vector<pki::Certificate> anchors;
    for (const auto& id : config_.est->trusted_certs) {
        auto chain = store_.chain(id);
        if (!chain)
            return base::fail(base::Code::internal, "trusted certificate of the EST server",
                              "cannot be read: " + chain.error().text(),
                              "correct trusted_certs of [cert_issuance.est]");
        anchors.insert(anchors.end(), chain->begin(), chain->end());
    }
    if (config_.est->use_system_store) {
        SP_TRY(return, const auto system, pki::TrustBundle::system());
        anchors.insert(anchors.end(), system.anchors().begin(), system.anchors().end());
    }
    return std::make_shared<const pki::TrustBundle>(std::move(anchors));
}

net::Task<base::Result<EstIssuer::Pair>> EstIssuer::usable(std::string what, std::string certificate_id,
                                                           std::string key_id) const {
    auto chain = store_.chain(certificate_id);
    if (!chain && chain.error().code == base::Code::not_found)
        co_return base::fail(base::Code::not_found, what, "does not exist yet");
    if (!chain) co_return std::unexpected(std::move(chain).error());
    const auto& leaf = chain->front();
    const auto now = clock_.now();
    if (leaf.not_after() <= now)
        co_return base::fail(base::Code::unavailable, what,
                             "has expired at " + base::format_rfc3339(leaf.not_after()));
    if (is_ahead(validity_of(leaf), now))
        co_return base::fail(base::Code::unavailable, what,
                             "is valid only from " + base::format_rfc3339(leaf.not_before()));
    auto handle = co_await keys_.load_pair(std::move(key_id));
    if (!handle && handle.error().code == base::Code::not_found)
        co_return base::fail(base::Code::not_found, what, "has lost its key");
    if (!handle) co_return std::unexpected(std::move(handle).error());
    auto key = co_await keys_.private_key(*std::move(handle));
    if (!key) co_return std::unexpected(std::move(key).error());
    if (!key->matches(leaf)) co_return base::fail(base::Code::not_found, what, "does not belong to its key");
    co_return Pair{*std::move(chain), *std::move(key)};
}

// An identity that renews itself uses itself as long as it can; the others wait for it.
net::Task<base::Result<EstIssuer::Pair>> EstIssuer::pair_for(std::string id, EstAuth auth) {
    const bool itself = without_temp(id) == auth.identity_cert;
    const bool obtained = !auth.bootstrap_identity_cert.empty();
    const std::string what = "EST identity";
    auto pair = co_await usable(what, auth.identity_cert, auth.identity_pk);
    if (pair || !obtained) co_return pair;
    if (!itself) {
        co_await identities_.at(auth.identity_cert)->next_step();
        pair = co_await usable(what, auth.identity_cert, auth.identity_pk);
        co_return pair;
    }
    if (pair.error().code != base::Code::not_found && pair.error().code != base::Code::unavailable)
        co_return pair;
    const std::string other = "EST bootstrap certificate";
    auto bootstrap = co_await usable(other, auth.bootstrap_identity_cert, auth.bootstrap_identity_pk);
    if (!bootstrap) {
        auto why = std::move(bootstrap).error();
        if (why.fix.empty())
            why.fix =
                "put a bootstrap certificate that is valid, and its key, into the files that "
                "bootstrap_identity_cert and bootstrap_identity_pk name";
        co_return std::unexpected(std::move(why));
    }
    co_return bootstrap;
}

net::Task<base::Result<est::Caller>> EstIssuer::caller_for(std::string id, EstAuth auth) {
    est::Caller caller;
    caller.user = auth.username;
    caller.password = auth.password;
    if (!auth.has_certificate()) co_return caller;
    auto pair = co_await pair_for(std::move(id), auth);
    if (!pair) {
        auto why = std::move(pair).error();
        // Why there is none has been said by its own request.
        if (auto held = pace_.reason(auth.identity_cert)) why.reason += ": " + *held;
        why.code = base::Code::rate_limited;
        if (why.fix.empty()) why.fix = "the log says under certificate.renewal_failed why";
        co_return std::unexpected(std::move(why));
    }
    caller.chain = std::move(pair->chain);
    caller.key = std::move(pair->key);
    co_return caller;
}

// An operator who was asked about a request is not asked about another one for the same key.
std::string EstIssuer::request_for(const std::string& id, const std::string& csr_pem,
                                   const pki::Csr& csr) const {
    const auto& pending = pace_.pending(id);
    if (pending.empty()) return csr_pem;
    const auto known = pki::csr_from_pem(pending);
    const bool same =
        known && known->key == csr.key && known->subject_der == csr.subject_der && known->names == csr.names;
    return same ? pending : csr_pem;
}

net::Task<base::Result<pki::Chain>> EstIssuer::issue(std::string id, std::string csr_pem, pki::Csr csr,
                                                     Issuance wish) {
    auto url = url_of(id, wish);
    if (!url) co_return std::unexpected(std::move(url).error());
    const auto origin = url->origin();
    if (asking_->contains(id))
        co_return base::fail(base::Code::rate_limited, "certificate id " + id,
                             "is being asked for at this moment");
    if (auto early = pace_.allowed(id, origin); !early) co_return std::unexpected(std::move(early).error());
    const Asking asking(asking_, id);
    auto anchors = trust();
    if (!anchors) co_return std::unexpected(std::move(anchors).error());
    auto auth = wish.auth.empty() ? config_.est->auth : wish.auth;
    auto caller = co_await caller_for(id, std::move(auth));
    if (!caller) co_return std::unexpected(std::move(caller).error());
    const auto request = request_for(id, csr_pem, csr);
    bool pem = false;
    auto der = est::read_body(request, &pem);
    if (!der) co_return std::unexpected(std::move(der).error());
    const auto profile = profile_of(id);
    auto wanted = est::wanted(csr, profile == pki::Profile::edge_ca, purpose_of(profile));
    est::Server server{*url, *std::move(anchors)};
    auto issued = co_await est::enroll(std::move(server), *std::move(caller), est::Operation::simpleenroll,
                                       *std::move(der), std::move(wanted), clock_);
    if (!issued) co_return std::unexpected(pace_.failed(id, url->text(), origin, request, issued.error()));
    pace_.succeeded(id, origin);
    if (issued->ahead)
        base::log::warning(
            base::events::est_clock_behind,
            {{"id", id},
             {"not_before", base::format_rfc3339(issued->chain.front().not_before())},
             {"reason", "the certificate begins in the future: this machine's clock may be behind"}});
    co_return std::move(issued->chain);
}

}  // namespace edge
