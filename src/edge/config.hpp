// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/config.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "edge/paths.hpp"
#include "edge/renewal_policy.hpp"

namespace edge {

/// Where a certificate or key comes from that the operator supplies: "file:///path".
using Uri = std::string;

/// How certd makes the certificate of one id (edge-runtime.md 8.2, issuance options).
struct Issuance {
    enum class Method { self_signed, local_ca } method = Method::self_signed;
    std::optional<std::int64_t> expiry_days;
    std::optional<std::string> common_name;
    std::optional<RenewalPolicy> renewal;
};

/// Where this device connects to (interfaces.md 1).
struct HubAddress {
    std::string name;     ///< without port; what the certificate must bear
    std::string address;  ///< where to connect; the name itself unless `iothub_address` says otherwise
    std::uint16_t mqtt_port = 8883;
    std::uint16_t https_port = 443;
    std::optional<std::vector<Uri>> trusted_certs;  ///< absent: the OS trust store
};

/// The device's credential.
struct SymmetricCredential {
    std::optional<base::SecretBytes> value;  ///< inline
    Uri uri;                                 ///< where there is no value
};
struct X509Credential {
    std::variant<Uri, Issuance> certificate;
    Uri key;  ///< only with a URI as certificate
};

struct Device {
    HubAddress hub;
    std::string id;
    std::variant<SymmetricCredential, X509Credential> credential;
};

/// One `[[principal]]`: a local user and what it may do (interfaces.md 2).
struct Principal {
    std::string name;  ///< module id; may be empty for uid rules alone
    std::optional<uid_t> uid;
    std::vector<std::string> idtype;  ///< "device", "module"
    std::vector<std::string> keys;
    std::vector<std::string> certs;
    std::vector<std::string> names;  ///< names that a module's server certificate may bear
    bool x509 = false;               ///< the module proves itself by its identity certificate, not by a key
};

struct EdgeCa {
    std::optional<Uri> certificate;  ///< user supplied, with key
    std::optional<Uri> key;
    Issuance issuance;  ///< otherwise
    std::string key_type = "ec-p256";
};

/// Where the gateway listens, as far as config.toml says.
struct GatewayListen {
    std::optional<std::string> address;
    std::optional<std::uint16_t> mqtt_port;
    std::optional<std::uint16_t> https_port;
};

/// Where the gateway learns of revoked certificates; handed through to its file, which reads them.
struct Revocation {
    std::vector<std::string> crl_urls;
    std::optional<std::string> crl_max_age;
};

/// All of config.toml and config.d that this program reads.
struct Configuration {
    std::string hostname;
    std::optional<std::string> parent_hostname;
    std::optional<Uri> trust_bundle;
    std::optional<Device> device;  ///< absent: provisioning source "none"
    std::int64_t cloud_timeout_seconds = 70;
    std::int64_t cloud_retries = 1;
    std::map<std::string, Uri> preloaded_keys;
    std::map<std::string, std::variant<Uri, std::vector<std::string>>> preloaded_certificates;
    std::optional<std::pair<Uri, Uri>> local_ca;  ///< certificate and key
    EdgeCa edge_ca;
    std::string module_key_type = "ec-p256";
    std::vector<Principal> principals;
    std::map<Service, std::int64_t> max_requests;
    GatewayListen gateway_listen;
    Revocation revocation;
    std::vector<std::string> notices;  ///< what is known and not done, for the log
};

/// Reads `config.toml`, then every `config.d/*.toml` in byte order of the name. Fails with every problem at
/// once.
base::Result<Configuration> read_configuration(const Paths& paths);
/// The same from a table: takes everything from it and finishes it.
base::Result<Configuration> read_configuration(base::ConfigTable table);

/// What `hostname` is where config.toml does not say.
std::string machine_name();
/// Refuses a host name or address that a server certificate cannot hold as it is, with the reason.
base::Status check_host(const std::string& host);

/// Files of one configuration, joined (edge-runtime.md 0.6): `first` may be absent, `directory` too.
/// settling: what lies beside a file as "<name>.next" counts in its place (service_files.hpp).
base::Result<base::ConfigTable> read_joined(const std::filesystem::path& first,
                                            const std::filesystem::path& directory, bool settling = false);

/// Reads the [[principal]] tables of a table.
std::vector<Principal> read_principals(base::ConfigTable& table);
/// Reads `trusted_certs`, `iothub_address` and the ports beside `iothub_hostname`.
HubAddress read_hub(base::ConfigTable& provisioning, const std::string& hostname);
/// Reads `crl_urls` and `crl_max_age`.
Revocation read_revocation(base::ConfigTable& table);

/// The keys of IoT Edge about containers and other things that this program does not do
/// (edge-runtime.md 8.2). Takes them as known and adds one notice for all that are there.
void take_foreign_keys(base::ConfigTable& table, std::vector<std::string>& notices);

}  // namespace edge
