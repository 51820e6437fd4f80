// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <filesystem>
#include <memory>

#include "app/edge.hpp"
#include "base/clock.hpp"
#include "edge/config_new.hpp"

namespace app {
namespace {

struct NewConfigOptions {
    std::string root = "/";
    std::string file;
    bool force = false;
    edge::NewConfiguration wish;
    std::string identity_certificate, identity_key, trust_bundle, edge_ca_certificate, edge_ca_key, hub_ca;
};

std::optional<std::filesystem::path> given(const std::string& path) {
    return path.empty() ? std::nullopt : std::optional<std::filesystem::path>(path);
}

edge::NewConfiguration wish_of(const NewConfigOptions& options) {
    auto wish = options.wish;
    if (wish.hostname.empty()) wish.hostname = edge::machine_name();
    wish.identity_certificate = options.identity_certificate;
    wish.identity_key = options.identity_key;
    wish.trust_bundle = given(options.trust_bundle);
    wish.hub_ca = given(options.hub_ca);
    if (!options.edge_ca_certificate.empty())
        wish.edge_ca = std::pair(options.edge_ca_certificate, options.edge_ca_key);
    return wish;
}

Exit write(const NewConfigOptions& options) {
    const auto text = edge::new_configuration_text(wish_of(options));
    const auto found = edge::look_at_new_configuration(text, base::system_clock().now());
    for (const auto& problem : found.problems) report(problem);
    if (!found.problems.empty()) return Exit::no;
    for (const auto& warning : found.warnings)
        fmt::print(stderr, "sallyport: warning: {} {}\n", warning.thing, warning.reason);
    const auto file = options.file.empty()
                          ? edge::Paths(std::filesystem::absolute(options.root)).configuration()
                          : std::filesystem::absolute(options.file);
    if (auto written = edge::write_new_configuration(file, text, options.force); !written)
        return report(written.error());
    fmt::print("{} written; sallyport edge config apply makes it count\n", file.string());
    return Exit::done;
}

void add_common(CLI::App& command, NewConfigOptions& options) {
    command.add_option("--root", options.root, "Directory under which all paths lie")->type_name("DIR");
    command.add_option("-c,--config-file", options.file, "Where to write it")->type_name("FILE");
    command.add_flag("-f,--force", options.force, "Replace a file that is there");
    command.add_option("--hostname", options.wish.hostname,
                       "What downstream devices connect to; without it the machine's name");
    command
        .add_option("--trust-bundle-cert", options.trust_bundle, "CA certificates that modules are to trust")
        ->type_name("FILE");
    auto* certificate =
        command.add_option("--edge-ca-cert", options.edge_ca_certificate, "An Edge CA of your own")
            ->type_name("FILE");
    auto* key = command.add_option("--edge-ca-pk", options.edge_ca_key, "Its private key")->type_name("FILE");
    certificate->needs(key);
    key->needs(certificate);
    command.add_option("--hub-ca", options.hub_ca, "CA certificates that the hub's certificate leads to")
        ->type_name("FILE");
    command.add_option("--hub-address", options.wish.hub_address,
                       "Where to connect, when DNS does not know the hub's name");
    command.add_option("--hub-mqtt-port", options.wish.hub_mqtt_port, "Its port for MQTT over TLS");
}

}  // namespace

void add_edge_config_new(CLI::App& config, Run& run) {
    const auto by_key = std::make_shared<NewConfigOptions>();
    auto* mp = config.add_subcommand("mp", "Write a first config.toml for a device with a key");
    mp->add_option("-s,--connection-string", by_key->wish.connection_string,
                   "The device's connection string at the hub")
        ->envname("IOTEDGE_CONNECTION_STRING")
        ->required();
    add_common(*mp, *by_key);
    mp->callback([&run, by_key] { run = [by_key] { return write(*by_key); }; });

    const auto by_certificate = std::make_shared<NewConfigOptions>();
    auto* x509 = config.add_subcommand("x509", "Write a first config.toml for a device with a certificate");
    x509->add_option("--hub-hostname", by_certificate->wish.hub_hostname, "The hub's name, host[:https-port]")
        ->required();
    x509->add_option("--device-id", by_certificate->wish.device_id, "This device's id at the hub")
        ->required();
    x509->add_option("--identity-cert", by_certificate->identity_certificate, "The device's certificate")
        ->type_name("FILE")
        ->required();
    x509->add_option("--identity-pk", by_certificate->identity_key, "Its private key")
        ->type_name("FILE")
        ->required();
    add_common(*x509, *by_certificate);
    x509->callback([&run, by_certificate] { run = [by_certificate] { return write(*by_certificate); }; });
}

}  // namespace app
