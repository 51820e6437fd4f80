// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <memory>

#include "app/ca.hpp"
#include "app/ca_serve.hpp"
#include "base/file.hpp"

namespace app {
namespace {

struct ServeOptions {
    std::filesystem::path data, ready_file;
    std::string address;
    std::optional<std::uint16_t> port, http_port;
};

base::Status run_server(const ServeOptions& options) {
    ca::ServerOptions wish;
    if (!options.address.empty()) wish.address = options.address;
    wish.port = options.port;
    wish.http_port = options.http_port;
    return serve_ca(options.data, wish, [&](ca::Server& server) -> base::Status {
        if (options.ready_file.empty()) return {};
        auto text = fmt::format("EST_PORT={}\n", server.port());
        if (const auto port = server.http_port()) text += fmt::format("HTTP_PORT={}\n", *port);
        text += fmt::format("PID={}\n", ::getpid());
        return base::write_atomically(options.ready_file, text, base::secret_mode);
    });
}

}  // namespace

void add_ca_run(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<ServeOptions>();
    auto* command = ca.add_subcommand("run", "Serve: EST over HTTPS, until SIGTERM");
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command->add_option("--listen", options->address,
                        "IP address to listen on, or localhost (default that of ca.toml)");
    command->add_option("--port", options->port, "Port for EST (default that of ca.toml; 0: any free one)");
    command->add_option("--http-port", options->http_port,
                        "Port for CRLs and OCSP without TLS (default that of [http]; 0: any free one)");
    command->add_option("--ready-file", options->ready_file,
                        "File to write EST_PORT=, HTTP_PORT= and PID= to, once serving");
    command->callback([&run, options] { run = ca_runner(options, run_server); });
}

}  // namespace app
