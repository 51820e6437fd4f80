// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <optional>

#include "app/command.hpp"
#include "base/clock.hpp"
#include "gateway/server.hpp"

namespace app {

namespace {

struct GatewayOptions {
    std::string root = "/";
    std::string listen;
    std::optional<std::uint16_t> mqtt_port;
    std::optional<std::uint16_t> https_port;
    std::string ready_file;
};

Exit run_gateway(const GatewayOptions& options) {
    gateway::ServerOptions server;
    server.paths = gateway::Paths::under(options.root);
    auto config = gateway::read_config(server.paths.configuration);
    if (!config) return report(config.error());
    if (!options.listen.empty()) config->listen.address = options.listen;
    if (options.mqtt_port) config->listen.mqtt_port = *options.mqtt_port;
    if (options.https_port) config->listen.https_port = *options.https_port;
    server.config = std::move(*config);
    if (!options.ready_file.empty()) server.ready_file = options.ready_file;
    auto opened = gateway::Server::open(std::move(server), base::system_clock());
    if (!opened) return report(opened.error());
    const auto ended = (*opened)->run();
    return ended ? Exit::done : report(ended.error());
}

}  // namespace

void add_gateway(CLI::App& root, Run& run) {
    auto* gateway =
        root.add_subcommand("gateway", "what downstream devices connect to")->require_subcommand(1);
    auto options = std::make_shared<GatewayOptions>();
    auto* serve = gateway->add_subcommand("run", "serve downstream devices, with and without the hub");
    serve->add_option("--root", options->root, "put every path under this directory");
    serve->add_option("--listen", options->listen, "address to listen on");
    serve->add_option("--mqtt-port", options->mqtt_port, "MQTT over TLS (0: any free one)");
    serve->add_option("--https-port", options->https_port, "HTTPS (0: any free one)");
    serve->add_option("--ready-file", options->ready_file, "written once it serves: MQTT_PORT=, PID=");
    serve->callback([options, &run] { run = [options] { return run_gateway(*options); }; });
}

}  // namespace app
