// SPDX-License-Identifier: Apache-2.0
#include "edge/est_split.hpp"

#include <algorithm>

#include "edge/est_identities.hpp"

namespace edge {
namespace {

void add_auth(TomlText& out, const EstAuth& auth, const std::string& certificate_id) {
    if (auth.has_password()) out.set("username", auth.username).set("password", auth.password->text());
    if (!auth.has_certificate()) return;
    const auto id = est_identity_id(certificate_id);
    out.set("identity_cert", id).set("identity_pk", id);
    if (auth.bootstrap_identity_cert.empty()) return;
    const auto bootstrap = est_bootstrap_id(certificate_id);
    out.set("bootstrap_identity_cert", bootstrap).set("bootstrap_identity_pk", bootstrap);
}

// Where the identity is one of a certificate's own, its entry has that certificate's credential.
std::string certificate_of(const EstIdentity& identity) {
    const auto common = est_identity_id();
    return identity.id == common ? "" : identity.id.substr(common.size() + 1);
}

}  // namespace

void add_est(TomlText& out, const Configuration& configuration) {
    if (!configuration.est || est_issuances(configuration).empty()) return;
    const auto& est = *configuration.est;
    out.table({"cert_issuance", "est"});
    std::vector<std::string> anchors;
    for (std::size_t i = 0; i < est.trusted_certs.size(); ++i) anchors.push_back(est_anchor_id(i));
    out.set("trusted_certs", anchors);
    if (est.use_system_store) out.set("use_system_store", true);
    add_auth(out, est.auth, {});
    if (const auto& policy = est.identity_renewal)
        out.table({"cert_issuance", "est", "identity_auto_renew"})
            .set("rotate_key", policy->rotate_key)
            .set("threshold", to_string(policy->threshold))
            .set("retry", to_string(policy->retry));
    if (!est.urls.empty()) {
        out.table({"cert_issuance", "est", "urls"});
        for (const auto& [id, url] : est.urls) out.set(id, std::string_view(url));
    }
    for (const auto& identity : est_identities(configuration)) {
        if (!identity.is_obtained()) continue;
        for (const auto& id : {identity.id, identity.id + "-temp"}) {
            out.table({"cert_issuance", id});
            out.set("method", "est").set("url", identity.url).set("common_name", identity.common_name);
            if (const auto own = certificate_of(identity); !own.empty()) add_auth(out, identity.auth, own);
        }
    }
}

void add_est_options(TomlText& out, const Configuration& configuration, const std::string& id,
                     const Issuance& issuance) {
    const std::string base(without_temp(id));
    out.set("url", est_url(configuration, {base, {}, &issuance}));
    add_auth(out, issuance.auth, base);
}

void add_est_certificates(const Configuration& configuration,
                          std::map<std::string, std::variant<Uri, std::vector<std::string>>>& preloaded) {
    if (est_issuances(configuration).empty() || !configuration.est) return;
    const auto& anchors = configuration.est->trusted_certs;
    for (std::size_t i = 0; i < anchors.size(); ++i) preloaded[est_anchor_id(i)] = anchors[i];
    for (const auto& identity : est_identities(configuration)) {
        if (identity.is_obtained())
            preloaded[identity.bootstrap_id] = identity.auth.bootstrap_identity_cert;
        else
            preloaded[identity.id] = identity.auth.identity_cert;
    }
}

void add_est_keys(const Configuration& configuration, std::map<std::string, Uri>& preloaded) {
    for (const auto& identity : est_identities(configuration)) {
        if (identity.is_obtained())
            preloaded[identity.bootstrap_id] = identity.auth.bootstrap_identity_pk;
        else
            preloaded[identity.id] = identity.auth.identity_pk;
    }
}

std::vector<std::string> est_written_ids(const Configuration& configuration) {
    std::vector<std::string> out;
    for (const auto& identity : est_identities(configuration))
        if (identity.is_obtained()) out.insert(out.end(), {identity.id, identity.id + "-temp"});
    return out;
}

std::vector<std::string> est_key_ids(const Configuration& configuration) {
    auto out = est_written_ids(configuration);
    for (const auto& identity : est_identities(configuration))
        out.push_back(identity.is_obtained() ? identity.bootstrap_id : identity.id);
    return out;
}

}  // namespace edge
