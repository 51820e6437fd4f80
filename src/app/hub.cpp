// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/command.hpp"
#include "app/hub_serve.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "hub/config.hpp"
#include "registry/registry.hpp"

namespace app {

namespace {

constexpr const char* every_address = "\"::\", every address";

struct HubInitOptions {
    std::filesystem::path data;
    std::vector<std::string> names;
    std::string certificate;
    std::string key;
    ListenWish listen;
};

base::Status make_hub(const HubInitOptions& options) {
    for (const auto& name : options.names) {
        if (auto fine = hub::check_hub_name(name); !fine) {
            auto error = std::move(fine).error();
            error.code = base::Code::usage;
            return std::unexpected(std::move(error));
        }
    }
    if (options.certificate.empty() != options.key.empty()) {
        return base::fail(base::Code::usage, "--certificate and --key", "belong together",
                          "give both or neither");
    }
    const auto config = options.data / "hub.toml";
    const auto database = options.data / "registry.db";
    for (const auto& file : {config, database}) {
        if (std::filesystem::exists(file)) {
            return base::fail(base::Code::already_exists, "file " + file.string(), "exists already",
                              "there is a hub in this directory; take another one, or run it");
        }
    }
    if (auto fine = base::make_private_directories(options.data); !fine) return fine;
    const auto listen = options.listen.over({});
    const auto absolute = [](const std::string& path, const char* otherwise) {
        return path.empty() ? std::string(otherwise)
                            : std::filesystem::absolute(path).lexically_normal().string();
    };
    const auto text = hub::initial_config(options.names, listen, absolute(options.certificate, "hub.pem"),
                                          absolute(options.key, "hub.key"));
    {
        SP_TRY(return, const auto registry, registry::Registry::open(database, base::system_clock()));
        if (auto fine = registry->make_policies(); !fine) return fine;
    }
    return base::write_atomically(config, text, base::secret_mode);
}

Exit init(const HubInitOptions& options) {
    if (auto made = make_hub(options); !made) return report(made.error());
    if (options.certificate.empty()) {
        fmt::print(
            stderr,
            "hub {} is made in {}. Before `sallyport hub run` put its certificate at {} and its key at {}.\n",
            options.names.front(), options.data.string(), (options.data / "hub.pem").string(),
            (options.data / "hub.key").string());
    }
    return Exit::done;
}

struct HubRunOptions {
    std::filesystem::path data;
    std::filesystem::path config;
    std::filesystem::path ready_file;
    ListenWish listen;
};

base::Status serve(const HubRunOptions& options) {
    SP_TRY(return, auto config, hub::read_config(options.data, options.config, options.listen.options()));
    ServeHooks hooks;
    if (!options.ready_file.empty()) {
        hooks.serving = [&](hub::Hub& hub) {
            const auto text = fmt::format("MQTT_PORT={}\nHTTPS_PORT={}\nPID={}\n", hub.mqtt_port(),
                                          hub.https_port(), ::getpid());
            return base::write_atomically(options.ready_file, text, base::secret_mode);
        };
    }
    return serve_hub(std::move(config), hooks);
}

Exit run_hub(const HubRunOptions& options) {
    if (auto served = serve(options); !served) return report(served.error());
    return Exit::done;
}

}  // namespace

void add_hub(CLI::App& hub, Run& run) {
    auto init_options = std::make_shared<HubInitOptions>();
    auto* init_command =
        hub.add_subcommand("init", "make the data directory of a hub: configuration, registry, policies");
    init_command->add_option("--data", init_options->data, "directory of the hub")->required();
    init_command->add_option("--name", init_options->names, "names of the hub; the first is its name")
        ->required();
    init_command->add_option("--certificate", init_options->certificate,
                             "PEM file: server certificate, then intermediates");
    init_command->add_option("--key", init_options->key, "PEM file with its private key, mode 0600");
    add_listen_options(*init_command, init_options->listen, every_address);
    init_command->callback([init_options, &run] { run = [init_options] { return init(*init_options); }; });

    auto run_options = std::make_shared<HubRunOptions>();
    auto* run_command = hub.add_subcommand("run", "serve: MQTT and HTTPS, until SIGTERM");
    run_command->add_option("--data", run_options->data, "directory of the hub")->required();
    run_command->add_option("--config", run_options->config, "configuration (default DIR/hub.toml)");
    run_command->add_option("--ready-file", run_options->ready_file,
                            "file to write MQTT_PORT=, HTTPS_PORT= and PID= to, once serving");
    add_listen_options(*run_command, run_options->listen, every_address);
    run_command->callback([run_options, &run] { run = [run_options] { return run_hub(*run_options); }; });
}

}  // namespace app
