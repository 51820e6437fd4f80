// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "app/command.hpp"
#include "base/result.hpp"
#include "hub/config.hpp"
#include "registry/registry.hpp"

namespace app {

namespace {

struct Options {
    std::filesystem::path data;
    std::filesystem::path config;
    std::string policy = "iothubowner";
    std::string host;
};

/// A policy's key opens the hub, so only who owns the registry, or root, is shown one.
base::Status check_owner(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0)
        return base::fail_errno(errno, "registry " + file.string(), "looked at");
    if (::geteuid() == 0 || ::geteuid() == status.st_uid) return {};
    return base::fail(base::Code::permission_denied, "registry " + file.string(), "belongs to another user",
                      "run it as the hub's user or as root");
}

base::Result<std::string> connection_string(const Options& options) {
    SP_TRY(return, const auto config, hub::read_config(options.data, options.config, {}));
    if (auto fine = check_owner(config.registry_file()); !fine)
        return std::unexpected(std::move(fine).error());
    SP_TRY(return, const auto reader, registry::Reader::open(config.registry_file()));
    SP_TRY(return, const auto policy, reader->policy(options.policy));
    if (!policy) {
        std::string known;
        if (const auto all = reader->policies()) {
            for (const auto& one : *all) known += (known.empty() ? "" : ", ") + one.name;
        }
        return base::fail(base::Code::not_found, "policy " + options.policy, "does not exist",
                          "there are " + known);
    }
    std::string host = options.host.empty() ? config.name() : options.host;
    // A port that any free one stands for is known to `hub run` alone.
    if (options.host.empty() && config.listen.https_port != 443 && config.listen.https_port != 0)
        host += fmt::format(":{}", config.listen.https_port);
    return fmt::format("HostName={};SharedAccessKeyName={};SharedAccessKey={}", host, policy->name,
                       policy->primary_key);
}

Exit show(const Options& options) {
    const auto text = connection_string(options);
    if (!text) return report(text.error());
    fmt::print("{}\n", *text);
    return Exit::done;
}

}  // namespace

void add_hub_connection_string(CLI::App& hub, Run& run) {
    auto* group = hub.add_subcommand("connection-string", "connection strings of service policies")
                      ->require_subcommand(1);
    auto options = std::make_shared<Options>();
    auto* command =
        group->add_subcommand("show", "print one; for the hub's user or root, at the hub's machine");
    command->add_option("--data", options->data, "directory of the hub")->required();
    command->add_option("--config", options->config, "configuration (default DIR/hub.toml)");
    command->add_option("--policy-name,--pn", options->policy, "policy (default iothubowner)");
    command->add_option("--host", options->host, "HOST[:PORT] to put in (default: the hub's first name)");
    command->callback([options, &run] { run = [options] { return show(*options); }; });
}

}  // namespace app
