// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "app/hub_client.hpp"

namespace app {

/// Which identity, and which of its two keys.
struct IdentityChoice {
    std::string device;
    std::string module;  ///< empty: the device itself
    std::string key_type = "primary";

    std::string text() const { return module.empty() ? device : device + "/" + module; }
};
void add_key_type_option(CLI::App& command, std::string& key_type);
/// --mqtt-port, where the hub's MQTT is not at 8883 (default: IOTHUB_MQTT_PORT).
void add_mqtt_port_option(CLI::App& command, std::optional<std::uint16_t>& port);

/// How an identity proves itself, as the hub knows it.
struct IdentityCredential {
    std::string type;  ///< "sas", "selfSigned", "certificateAuthority" or "none"
    std::string key;   ///< base64; of type sas alone
    bool by_certificate() const { return type == "selfSigned" || type == "certificateAuthority"; }
};
/// Asks the hub. Fails with not_found where there is no such identity.
base::Result<IdentityCredential> fetch_credential(const HubClient& client, const IdentityChoice& choice);

/// "HostName=...;DeviceId=...[;ModuleId=...];SharedAccessKey=..." or with x509=true. `host` with the port of
/// MQTT, where it is another than 8883: that is the one that the SDKs take from there. Fails for an identity
/// that has no way to prove itself.
base::Result<std::string> identity_connection_string(const std::string& host, const IdentityChoice& choice,
                                                     const IdentityCredential& credential);
/// The host for such a connection string.
std::string mqtt_host(const HubClient& client, const std::optional<std::uint16_t>& port);

}  // namespace app
