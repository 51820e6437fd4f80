// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "app/dev.hpp"
#include "app/environment.hpp"
#include "app/hub_dev_directory.hpp"
#include "app/hub_seed.hpp"
#include "app/hub_serve.hpp"
#include "base/result.hpp"

namespace app {

namespace {

constexpr const char* loopback = "localhost";

struct Options {
    std::filesystem::path data;
    std::vector<std::string> hostnames;
    ListenWish listen;
    std::string output = "env";
    std::filesystem::path env_file;
    std::filesystem::path seed;
};

/// What the shells and programs beside it need to know.
base::Result<Environment> environment_of(hub::Hub& hub, const std::filesystem::path& ca_file) {
    SP_TRY(return, const auto reader, hub.registry().reader());
    SP_TRY(return, const auto owner, reader->policy("iothubowner"));
    if (!owner) return base::fail(base::Code::internal, "policy iothubowner", "is not there");
    const auto& name = hub.config().name();
    const bool six = name.find(':') != std::string::npos;
    std::string host = six ? "[" + name + "]" : name;
    if (hub.https_port() != 443) host += fmt::format(":{}", hub.https_port());
    return Environment{
        {"IOTHUB_HOSTNAME", name},
        {"IOTHUB_CONNECTION_STRING", fmt::format("HostName={};SharedAccessKeyName={};SharedAccessKey={}",
                                                 host, owner->name, owner->primary_key)},
        {"IOTHUB_CA_FILE", ca_file.string()},
        {"IOTHUB_MQTT_PORT", std::to_string(hub.mqtt_port())},
        {"IOTHUB_HTTPS_PORT", std::to_string(hub.https_port())},
        {"SALLYPORT_READY", "1"}};
}

/// A port that cannot be had: which option chooses another.
base::Error with_way_on(base::Error error, const hub::Listen& listen) {
    if (!error.thing.starts_with("listener ")) return error;
    const bool mqtt = error.thing.ends_with(fmt::format(":{}", listen.mqtt_port));
    const std::string option = mqtt ? "--mqtt-port" : "--https-port";
    if (error.code == base::Code::address_in_use)
        error.fix = fmt::format("stop that process, or choose another port with {} N ({} 0: any free one)",
                                option, option);
    if (error.code == base::Code::permission_denied)
        error.fix = fmt::format(
            "choose a port of 1024 or above with {} N ({} 0: any free one), or give the program "
            "CAP_NET_BIND_SERVICE",
            option, option);
    return error;
}

base::Status serve(const Options& options) {
    if (auto fine = check_dev_hostnames(options.hostnames); !fine) return fine;
    SP_TRY(return, const auto data, dev_data_directory(options.data, "hub-dev"));
    remove_stale_environment(options.env_file);
    hub::Listen defaults;
    defaults.address = loopback;
    const auto listen = options.listen.over(defaults);
    if (auto fine = check_dev_listen(listen.address); !fine) return fine;
    SP_TRY(return, auto made, make_dev_hub({data, options.hostnames, listen}, base::system_clock().now()));
    ServeHooks hooks;
    if (!options.seed.empty())
        hooks.prepare = [&](hub::Hub& hub) { return seed_registry(hub.registry(), options.seed); };
    hooks.serving = [&](hub::Hub& hub) -> base::Status {
        SP_TRY(return, const auto environment, environment_of(hub, made.ca_file));
        return tell_environment(environment, options.output, options.env_file);
    };
    auto served = serve_hub(std::move(made.config), hooks);
    if (!served) return std::unexpected(with_way_on(std::move(served).error(), listen));
    return served;
}

/// One line: what is wrong and how to go on.
Exit run_dev(const Options& options) {
    const auto served = serve(options);
    if (served) return Exit::done;
    fmt::print(stderr, "sallyport: error: {}\n", served.error().text());
    return served.error().code == base::Code::usage ? Exit::usage : Exit::no;
}

}  // namespace

void add_hub_dev(CLI::App& hub, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = hub.add_subcommand(
        "dev", "a hub for development and tests: makes what is missing, serves, and prints how to reach it");
    command->add_option("--data", options->data,
                        "directory of the hub (default $XDG_STATE_HOME/sallyport/hub-dev, else "
                        "~/.local/state/sallyport/hub-dev)");
    command
        ->add_option("--hostname", options->hostnames,
                     "a further name or address of the hub; the first is its name (default localhost)")
        ->allow_extra_args(false);
    add_listen_options(*command, options->listen, "localhost: 127.0.0.1 and ::1");
    command->add_option("--output,-o", options->output, "env or json: what is printed once it serves")
        ->check(CLI::IsMember({"env", "json"}));
    command->add_option("--env-file", options->env_file,
                        "file (mode 0600) for the same lines as --output env, put there once it serves");
    command->add_option("--seed", options->seed, "JSON array of devices and modules to create");
    command->callback([options, &run] { run = [options] { return run_dev(*options); }; });
}

}  // namespace app
