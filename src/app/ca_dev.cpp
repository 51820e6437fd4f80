// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <memory>

#include "app/ca.hpp"
#include "app/ca_dev_directory.hpp"
#include "app/ca_serve.hpp"
#include "app/dev.hpp"
#include "app/environment.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace app {
namespace {

struct DevOptions {
    std::filesystem::path data, env_file;
    std::vector<std::string> hostnames;
    std::string address = "localhost", output = "env";
    std::uint16_t port = 9443;
};

Environment environment_of(const DevCa& made, const std::string& host, std::uint16_t port) {
    const bool six = host.find(':') != std::string::npos;
    return {{"EST_URL", fmt::format("https://{}:{}", six ? "[" + host + "]" : host, port)},
            {"EST_CA_FILE", made.root.string()},
            {"EST_USER", made.user},
            {"EST_PASSWORD", made.password},
            {"EST_BOOTSTRAP_CERT", made.bootstrap_certificate.string()},
            {"EST_BOOTSTRAP_KEY", made.bootstrap_key.string()},
            {"SALLYPORT_READY", "1"}};
}

base::Status serve_for_development(const DevOptions& options) {
    if (auto fine = check_dev_hostnames(options.hostnames); !fine) return fine;
    if (auto fine = check_dev_listen(options.address); !fine) return fine;
    SP_TRY(return, const auto data, dev_data_directory(options.data, "ca-dev"));
    remove_stale_environment(options.env_file);
    SP_TRY(return, const auto made, make_dev_ca(data, base::system_clock()));
    const ca::ServerOptions wish{.address = options.address,
                                 .port = options.port,
                                 .names = dev_names(options.hostnames, options.address)};
    auto served = serve_ca(data, wish, [&](ca::Server& server) {
        const auto environment = environment_of(made, wish.names.front(), server.port());
        return tell_environment(environment, options.output, options.env_file);
    });
    if (served || !served.error().thing.starts_with("listener ")) return served;
    auto error = std::move(served).error();
    error.fix = "choose another port with --port N (--port 0: any free one)";
    return std::unexpected(std::move(error));
}

}  // namespace

void add_ca_dev(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<DevOptions>();
    auto* command = ca.add_subcommand(
        "dev",
        "A CA with EST for development and tests: makes what is missing, serves, and prints how to reach it");
    command->add_option("--data", options->data,
                        "directory of the CA (default $XDG_STATE_HOME/sallyport/ca-dev, else "
                        "~/.local/state/sallyport/ca-dev)");
    command
        ->add_option(
            "--hostname", options->hostnames,
            "a further name or address of the server; the first is that of EST_URL (default localhost)")
        ->allow_extra_args(false);
    command
        ->add_option("--listen", options->address,
                     "IP address to listen on, or localhost (127.0.0.1 and ::1)")
        ->capture_default_str();
    command->add_option("--port", options->port, "port for EST (0: any free one)")->capture_default_str();
    command->add_option("--output,-o", options->output, "env or json: what is printed once it serves")
        ->check(CLI::IsMember({"env", "json"}));
    command->add_option("--env-file", options->env_file,
                        "file (mode 0600) for the same lines as --output env, put there once it serves");
    command->callback([&run, options] { run = ca_runner(options, serve_for_development); });
}

}  // namespace app
