// SPDX-License-Identifier: Apache-2.0
#include "edge/est_identities.hpp"

#include <fmt/format.h>

namespace edge {
namespace {

const std::string* url_under(const EstSettings& est, const std::string& id) {
    const auto found = est.urls.find(id);
    return found == est.urls.end() ? nullptr : &found->second;
}

EstIdentity identity(const std::string& certificate_id, const EstAuth& auth) {
    EstIdentity out;
    out.id = est_identity_id(certificate_id);
    out.bootstrap_id = est_bootstrap_id(certificate_id);
    out.auth = auth;
    return out;
}

}  // namespace

std::string est_identity_id(const std::string& certificate_id) {
    return certificate_id.empty() ? "est-id" : "est-id-" + certificate_id;
}

std::string est_bootstrap_id(const std::string& certificate_id) {
    return certificate_id.empty() ? "est-bootstrap-id" : "est-bootstrap-id-" + certificate_id;
}

std::string est_anchor_id(std::size_t index) {
    return fmt::format("est-server-ca-{}", index + 1);
}

std::vector<EstIssuance> est_issuances(const Configuration& configuration) {
    std::vector<EstIssuance> out;
    const auto add = [&](std::string id, std::string where, const Issuance& issuance) {
        if (issuance.method == Issuance::Method::est)
            out.push_back({std::move(id), std::move(where), &issuance});
    };
    if (configuration.device)
        if (const auto* x509 = std::get_if<X509Credential>(&configuration.device->credential))
            if (const auto* issued = std::get_if<Issuance>(&x509->certificate))
                add("device-id", "provisioning.authentication.identity_cert", *issued);
    if (!configuration.edge_ca.certificate) add("aziot-edged-ca", "edge_ca", configuration.edge_ca.issuance);
    if (configuration.module_issuance)
        add(module_server_certificates, "module_certs", *configuration.module_issuance);
    return out;
}

std::string est_url(const Configuration& configuration, const EstIssuance& issuance) {
    if (issuance.issuance->url) return *issuance.issuance->url;
    if (!configuration.est) return {};
    for (const auto& id : {issuance.id, std::string("default")})
        if (const auto* url = url_under(*configuration.est, id)) return *url;
    return {};
}

std::vector<EstIdentity> est_identities(const Configuration& configuration) {
    std::vector<EstIdentity> out;
    const auto wanted = est_issuances(configuration);
    if (!configuration.est || wanted.empty()) return out;
    const auto device = configuration.device ? configuration.device->id : configuration.hostname;
    std::string first_url;
    for (const auto& each : wanted) {
        if (each.issuance->auth.empty()) {
            if (first_url.empty()) first_url = est_url(configuration, each);
            continue;
        }
        if (!each.issuance->auth.has_certificate()) continue;
        auto own = identity(each.id, each.issuance->auth);
        own.url = est_url(configuration, each);
        own.common_name = each.issuance->common_name.value_or(device);
        out.push_back(std::move(own));
    }
    if (first_url.empty() || !configuration.est->auth.has_certificate()) return out;
    auto common = identity({}, configuration.est->auth);
    common.url = first_url;
    for (const auto* id : {"default", "est-id"})
        if (const auto* url = url_under(*configuration.est, id)) common.url = *url;
    common.common_name = device;
    out.push_back(std::move(common));
    return out;
}

}  // namespace edge
