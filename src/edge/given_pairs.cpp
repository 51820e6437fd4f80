// SPDX-License-Identifier: Apache-2.0
#include "edge/given_pairs.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/est_identities.hpp"

namespace edge {

std::vector<GivenPair> given_pairs(const Configuration& configuration) {
    std::vector<GivenPair> pairs;
    if (configuration.device)
        if (const auto* x509 = std::get_if<X509Credential>(&configuration.device->credential))
            if (const auto* certificate = std::get_if<Uri>(&x509->certificate))
                pairs.push_back({"device", *certificate, x509->key, false});
    if (configuration.edge_ca.certificate)
        pairs.push_back({"Edge CA", *configuration.edge_ca.certificate, *configuration.edge_ca.key, true});
    if (configuration.local_ca)
        pairs.push_back({"local CA", configuration.local_ca->first, configuration.local_ca->second, true});
    for (const auto& identity : est_identities(configuration)) {
        const auto& auth = identity.auth;
        if (identity.is_obtained())
            pairs.push_back(
                {"EST bootstrap", auth.bootstrap_identity_cert, auth.bootstrap_identity_pk, false, true});
        else
            pairs.push_back({"EST identity", auth.identity_cert, auth.identity_pk, false, true});
    }
    return pairs;
}

std::vector<std::pair<Service, Uri>> files_by_service(const Configuration& configuration) {
    std::vector<std::pair<Service, Uri>> out;
    for (const auto& pair : given_pairs(configuration)) {
        out.emplace_back(Service::certificates, pair.certificate);
        out.emplace_back(Service::keys, pair.key);
    }
    for (const auto& [id, uri] : configuration.preloaded_keys) out.emplace_back(Service::keys, uri);
    for (const auto& [id, source] : configuration.preloaded_certificates)
        if (const auto* uri = std::get_if<Uri>(&source)) out.emplace_back(Service::certificates, *uri);
    if (configuration.trust_bundle) out.emplace_back(Service::certificates, *configuration.trust_bundle);
    if (configuration.est)
        for (const auto& uri : configuration.est->trusted_certs) out.emplace_back(Service::certificates, uri);
    if (!configuration.device) return out;
    const auto* key = std::get_if<SymmetricCredential>(&configuration.device->credential);
    if (key && !key->value) out.emplace_back(Service::keys, key->uri);
    if (configuration.device->hub.trusted_certs)
        for (const auto& uri : *configuration.device->hub.trusted_certs)
            out.emplace_back(Service::identity, uri);
    return out;
}

base::Result<pki::Chain> read_given_chain(const Uri& uri, const std::string& thing) {
    SP_TRY(return, const auto file, file_of_uri(uri));
    SP_TRY(return, const auto pem, base::read_file(file, thing));
    return pki::certificates_from_pem(pem, fmt::format("{} {}", thing, file.string()));
}

}  // namespace edge
