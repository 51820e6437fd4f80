// SPDX-License-Identifier: Apache-2.0
#include "gateway/config.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "base/config.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace gateway {

namespace {

constexpr std::string_view rewrite = "start `sallyport edge run` again: it writes this file";

/// "file:///etc/x.pem" or a plain path; nullopt for any other URI.
std::optional<std::string> path_of(std::string_view uri) {
    constexpr std::string_view scheme = "file://";
    if (uri.starts_with(scheme)) return base::percent_decode(uri.substr(scheme.size()));
    if (uri.find("://") != std::string_view::npos) return std::nullopt;
    return std::string(uri);
}

std::string required(base::ConfigTable& table, std::string_view key) {
    auto value = table.string(key);
    if (!value || value->empty()) {
        table.complain(key, "is missing", std::string(rewrite));
        return {};
    }
    return std::move(*value);
}

std::uint16_t port(base::ConfigTable& table, std::string_view key, std::uint16_t otherwise) {
    return static_cast<std::uint16_t>(table.integer(key, 0, 65535).value_or(otherwise));
}

void read_hub(base::ConfigTable& hub, Config::Hub& into) {
    into.name = hub.string("name").value_or("");
    into.address = hub.string("address").value_or("");
    into.mqtt_port = port(hub, "mqtt_port", into.mqtt_port);
    into.https_port = port(hub, "https_port", into.https_port);
    for (const auto& uri : hub.strings("trusted_certs").value_or(std::vector<std::string>{})) {
        auto path = path_of(uri);
        if (!path) {
            hub.complain("trusted_certs", "is not a file URI: " + uri, "write file:///path/to/root.pem");
            continue;
        }
        into.trusted_certs.push_back(std::move(*path));
    }
}

void read_environment(base::ConfigTable& environment, Config& into) {
    auto& module = into.module;
    const std::string socket = required(environment, "IOTEDGE_WORKLOADURI");
    constexpr std::string_view scheme = "unix://";
    if (socket.starts_with(scheme)) {
        module.workload_socket = socket.substr(scheme.size());
    } else if (!socket.empty()) {
        environment.complain("IOTEDGE_WORKLOADURI", "is not a Unix socket: " + socket,
                             "write unix:///path/edgeHub.sock");
    }
    module.api_version = environment.string("IOTEDGE_APIVERSION").value_or(module.api_version);
    module.device_id = required(environment, "IOTEDGE_DEVICEID");
    module.module_id = environment.string("IOTEDGE_MODULEID").value_or(module.module_id);
    module.generation_id = required(environment, "IOTEDGE_MODULEGENERATIONID");
    const auto hub = environment.string("IOTEDGE_IOTHUBHOSTNAME").value_or("");
    if (into.hub.name.empty()) into.hub.name = hub.substr(0, hub.find(':'));
    const auto host = environment.string("EdgeDeviceHostName").value_or("");
    if (into.hostname.empty()) into.hostname = host;
    // A module's environment may carry more than this module reads.
    for (const auto& key : environment.keys()) environment.known(key);
}

}  // namespace

Paths Paths::under(const std::filesystem::path& root) {
    return {root / "etc/aziot/gateway/config.d/00-super.toml", root / "var/lib/aziot/gateway"};
}

base::Result<Config> read_config(const std::filesystem::path& file) {
    auto table = base::ConfigTable::read(file);
    if (!table) {
        if (table.error().code != base::Code::not_found) return std::unexpected(std::move(table).error());
        return base::fail(base::Code::not_found, "configuration " + file.string(), "is not there",
                          "run `sallyport edge run` with the same --root first: it writes this file once the "
                          "device is provisioned");
    }
    Config config;
    config.hostname = table->string("hostname").value_or("");
    config.revocation = crl::read_settings(*table);
    if (auto hub = table->table("hub")) read_hub(*hub, config.hub);
    if (auto listen = table->table("listen")) {
        config.listen.address = listen->string("address").value_or(config.listen.address);
        config.listen.mqtt_port = port(*listen, "mqtt_port", config.listen.mqtt_port);
        config.listen.https_port = port(*listen, "https_port", config.listen.https_port);
    }
    if (auto environment = table->table("environment")) {
        read_environment(*environment, config);
    } else {
        table->complain("environment", "is missing", std::string(rewrite));
    }
    if (config.hub.name.empty()) table->complain("hub.name", "is missing", "name the IoT hub");
    if (config.hostname.empty()) table->complain("hostname", "is missing", "set hostname in config.toml");
    if (auto wrong = table->finish(); !wrong) return std::unexpected(std::move(wrong).error());
    if (config.hub.address.empty()) config.hub.address = config.hub.name;
    return config;
}

base::Result<std::shared_ptr<const pki::TrustBundle>> hub_trust(const Config& config) {
    if (config.hub.trusted_certs.empty()) {
        SP_TRY(return, auto system, pki::TrustBundle::system());
        return std::make_shared<const pki::TrustBundle>(std::move(system));
    }
    std::vector<pki::Certificate> anchors;
    for (const auto& path : config.hub.trusted_certs) {
        SP_TRY(return, const auto text, base::read_file(path, "certificate"));
        SP_TRY(return, auto chain, pki::certificates_from_pem(text, "certificate " + path));
        for (auto& certificate : chain) anchors.push_back(std::move(certificate));
    }
    return std::make_shared<const pki::TrustBundle>(std::move(anchors));
}

}  // namespace gateway
