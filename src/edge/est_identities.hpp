// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "edge/config.hpp"

namespace edge {

/// Under which id the issuance of every module's server certificate stands.
inline constexpr const char* module_server_certificates = "aziot-edged/module/*:server";

/// A certificate that is to come from an EST server.
struct EstIssuance {
    std::string id;     ///< "device-id"
    std::string where;  ///< the table of config.toml: "edge_ca"
    const Issuance* issuance;
};
/// Those of a configuration: device identity, Edge CA, module certificates. They point into it.
std::vector<EstIssuance> est_issuances(const Configuration& configuration);

/// Its URL: its own, that of its id, or the default; empty where there is none.
std::string est_url(const Configuration& configuration, const EstIssuance& issuance);

/// Who this device is to an EST server: either a certificate that the operator supplies, or one that is
/// obtained with a bootstrap certificate (edge-runtime.md 9.3). One for all, and one for each certificate
/// that has a credential of its own.
struct EstIdentity {
    std::string id;            ///< of its certificate and key: "est-id", "est-id-device-id"
    std::string bootstrap_id;  ///< "est-bootstrap-id"
    EstAuth auth;              ///< with file URIs
    std::string url;           ///< where it is obtained and renewed
    std::string common_name;   ///< of one that is obtained

    bool is_obtained() const { return !auth.bootstrap_identity_cert.empty(); }
};
std::vector<EstIdentity> est_identities(const Configuration& configuration);

/// "est-id" for the credential of [cert_issuance.est], "est-id-<id>" for one of a certificate's own.
std::string est_identity_id(const std::string& certificate_id = {});
std::string est_bootstrap_id(const std::string& certificate_id = {});
/// "est-server-ca-1" for the first of trusted_certs, index 0.
std::string est_anchor_id(std::size_t index);

}  // namespace edge
