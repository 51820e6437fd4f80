// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "crl/settings.hpp"
#include "pki/verify.hpp"

namespace gateway {

/// What the gateway is told by the edge device that it belongs to (docs/reference/gateway.md). The file is
/// written by `edge run`, for the gateway's user alone; it holds no secret.
struct Config {
    crl::Settings revocation;  ///< crl_urls, crl_max_age
    std::string hostname;      ///< the name of the server certificate; accepted in user names and audiences
    struct Hub {
        std::string name;     ///< in audiences and user names, and the name that its certificate must have
        std::string address;  ///< where to connect
        std::uint16_t mqtt_port = 8883;
        std::uint16_t https_port = 443;
        std::vector<std::string> trusted_certs;  ///< paths; empty: the OS trust store
    } hub;
    struct Listen {
        std::string address = "0.0.0.0";
        std::uint16_t mqtt_port = 8883;
        std::uint16_t https_port = 443;
    } listen;
    /// The module that the gateway is, as its environment tells it (edge-runtime.md 6.7).
    struct Module {
        std::string workload_socket;
        std::string api_version = "2020-07-07";
        std::string device_id;
        std::string module_id = "$edgeHub";
        std::string generation_id;
    } module;
};

/// The files of a gateway under `root` ("/" for a packaged one).
struct Paths {
    std::filesystem::path configuration;  ///< etc/aziot/gateway/config.d/00-super.toml
    std::filesystem::path data;           ///< var/lib/aziot/gateway
    static Paths under(const std::filesystem::path& root);
    std::filesystem::path scope() const { return data / "scope.db"; }
    std::filesystem::path messages() const { return data / "messages"; }
    std::filesystem::path progress() const { return data / "progress"; }
};

/// Reads and checks the file. Fails with not_found and the remedy where `edge run` has not written it yet.
base::Result<Config> read_config(const std::filesystem::path& file);

/// The anchors towards the hub: the configured files, else the OS trust store.
base::Result<std::shared_ptr<const pki::TrustBundle>> hub_trust(const Config& config);

}  // namespace gateway
