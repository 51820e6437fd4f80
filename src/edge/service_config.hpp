// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "edge/config.hpp"

namespace edge {

/// A rule of one service: this uid may use the ids that match (`*` any characters, `?` one).
struct UidRule {
    uid_t user;
    std::vector<std::string> patterns;
};

/// True where some rule of this user has a pattern for `id`; root may everything (edge-runtime.md 1.4, 2.2).
bool is_allowed(const std::vector<UidRule>& rules, std::optional<uid_t> user, std::string_view id);

/// What the keys service reads (edge-runtime.md 1.8).
struct KeysConfig {
    std::filesystem::path home;
    std::size_t max_requests = 10;
    std::map<std::string, Uri> preloaded;
    std::vector<UidRule> rules;
};

/// What the certificates service reads (edge-runtime.md 2.5).
struct CertificatesConfig {
    std::filesystem::path home;
    std::size_t max_requests = 10;
    std::filesystem::path keys_socket;
    std::filesystem::path own_socket;
    std::map<std::string, std::variant<Uri, std::vector<std::string>>> preloaded;
    std::map<std::string, Issuance> issuance;
    std::optional<EstSettings> est;                               ///< with ids in place of URIs
    std::optional<std::pair<std::string, std::string>> local_ca;  ///< certificate id, key id
    std::vector<UidRule> rules;
};

/// What the identity service reads (edge-runtime.md 5.1).
struct IdentityConfig {
    std::filesystem::path home;
    std::size_t max_requests = 10;
    std::filesystem::path keys_socket;
    std::filesystem::path certificates_socket;
    std::string hostname;
    std::optional<std::string> parent;
    enum class Method { none, sas, x509, x509_issued } method = Method::none;
    HubAddress hub;
    std::string device_id;
    std::string key_id = "device-id";
    std::string certificate_id = "device-id";
    std::optional<RenewalPolicy> renewal;  ///< of an issued certificate; absent: it is not renewed
    std::chrono::seconds cloud_timeout{70};
    std::vector<std::string> modules;       ///< to be registered at the hub
    std::vector<std::string> x509_modules;  ///< those of them that prove themselves by certificate
    std::vector<Principal> principals;      ///< with uid; without idtype: the daemon
};

/// A module that the workload service serves.
struct WorkloadModule {
    std::string id;  ///< "$edgeHub"
    uid_t user;
    std::vector<std::string> names;  ///< that its server certificate may bear, beside its own
    bool x509 = false;               ///< proves itself by its identity certificate
};

/// What the workload service reads (edge-runtime.md 8.4).
struct WorkloadConfig {
    std::filesystem::path home;
    std::size_t max_requests = 10;
    std::filesystem::path keys_socket;
    std::filesystem::path certificates_socket;
    std::filesystem::path identity_socket;
    std::filesystem::path gateway_file;
    std::string hostname;
    std::optional<std::string> parent;
    std::optional<std::string> edge_ca_common_name;
    bool edge_ca_supplied = false;
    std::string edge_ca_key_type = "ec-p256";
    RenewalPolicy edge_ca_renewal;
    std::string module_key_type = "ec-p256";
    bool modules_by_est = false;  ///< server certificates of modules do not come from the Edge CA
    std::string trust_bundle_id = "aziot-edged-trust-bundle";
    HubAddress hub;
    GatewayListen gateway_listen;
    Revocation revocation;
    std::vector<WorkloadModule> modules;
};

/// Each reads a service's own file and nothing else.
base::Result<KeysConfig> read_keys_config(const Paths& paths);
base::Result<CertificatesConfig> read_certificates_config(const Paths& paths);
base::Result<IdentityConfig> read_identity_config(const Paths& paths);
base::Result<WorkloadConfig> read_workload_config(const Paths& paths);

}  // namespace edge
