// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "base/secret.hpp"
#include "edge/renewal_policy.hpp"

namespace edge {

/// As whom an EST server is asked. Certificates and keys are file URIs in config.toml and ids in the file of
/// the certificates service; empty: none.
struct EstAuth {
    std::string username{};
    std::shared_ptr<const base::SecretBytes> password{};
    std::string identity_cert{};
    std::string identity_pk{};
    std::string bootstrap_identity_cert{};
    std::string bootstrap_identity_pk{};

    bool has_password() const { return !username.empty(); }
    bool has_certificate() const { return !identity_cert.empty() || !bootstrap_identity_cert.empty(); }
    bool empty() const { return !has_password() && !has_certificate(); }
};

/// [cert_issuance.est] (edge-runtime.md 2.5, 8.2).
struct EstSettings {
    std::vector<std::string> trusted_certs{};  ///< the anchors for the server and for what it issues
    bool use_system_store = false;             ///< the machine's anchors as well
    EstAuth auth{};
    std::optional<RenewalPolicy> identity_renewal{};  ///< of the EST identity; absent: the usual one
    std::map<std::string, std::string> urls{};        ///< by certificate id, and "default"
};

/// The id without the "-temp" of the one that a renewal makes.
std::string_view without_temp(std::string_view id);

/// Reads the six keys of a table; complains of halves of pairs.
EstAuth read_est_auth(base::ConfigTable& table);
/// Reads the table [cert_issuance.est], with its credential in `auth` or, as the certificates service has
/// it, directly.
EstSettings read_est_settings(base::ConfigTable& table);

}  // namespace edge
