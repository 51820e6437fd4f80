// SPDX-License-Identifier: Apache-2.0
#include "app/hub_connection_string.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>

#include "app/hub_credentials.hpp"
#include "app/hub_data.hpp"
#include "base/result.hpp"
#include "registry/registry.hpp"

namespace app {

namespace {

struct ConnectionStringOptions {
    HubLogin login;
    HubData where;
    std::string policy = "iothubowner";
    IdentityChoice identity;
    std::string host;
    std::optional<std::uint16_t> mqtt_port;
};

base::Result<std::string> of_policy(const ConnectionStringOptions& options) {
    if (options.where.data.empty()) {
        return base::fail(base::Code::usage, "connection-string show", "does not know what to show",
                          "give --data DIR for a policy's, at the hub's machine, or --device-id ID for a "
                          "device's");
    }
    SP_TRY(return, const auto config, open_hub_data(options.where));
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
    if (options.host.empty() && host.contains(':')) host = "[" + host + "]";  // an IPv6 address
    // A port that any free one stands for is known to the running hub alone.
    if (options.host.empty() && config.listen.https_port != 443 && config.listen.https_port != 0)
        host += fmt::format(":{}", config.listen.https_port);
    const bool primary = options.identity.key_type == "primary";
    return fmt::format("HostName={};SharedAccessKeyName={};SharedAccessKey={}", host, policy->name,
                       primary ? policy->primary_key : policy->secondary_key);
}

base::Result<std::string> of_identity(const ConnectionStringOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto credential, fetch_credential(client, options.identity));
    const auto host = options.host.empty() ? mqtt_host(client, options.mqtt_port) : options.host;
    return identity_connection_string(host, options.identity, credential);
}

Exit show(const ConnectionStringOptions& options) {
    const bool identity = !options.identity.device.empty();
    const auto text = identity ? of_identity(options) : of_policy(options);
    if (!text) return identity ? report_hub(text.error()) : report(text.error());
    if (options.login.json())
        print_json(boost::json::object{{"connectionString", *text}});
    else
        fmt::print("{}\n", *text);
    return Exit::done;
}

CLI::App* add_show(CLI::App& parent, Run& run, const std::shared_ptr<ConnectionStringOptions>& options,
                   const char* what) {
    auto* group = parent.add_subcommand("connection-string", what)->require_subcommand(1);
    auto* command = group->add_subcommand("show", "print one");
    add_login_options(*command, options->login);
    add_key_type_option(*command, options->identity.key_type);
    command->add_option("--host", options->host, "HOST[:PORT] to put in, in place of the hub's own");
    command->callback([options, &run] { run = [options] { return show(*options); }; });
    return command;
}

}  // namespace

void add_hub_connection_string(CLI::App& hub, Run& run) {
    auto options = std::make_shared<ConnectionStringOptions>();
    auto* command = add_show(hub, run, options, "connection strings of policies, devices and modules");
    command->add_option("--data", options->where.data,
                        "directory of the hub, for a policy's: for the hub's user or root, at its machine");
    command->add_option("--config", options->where.config, "configuration (default DIR/hub.toml)");
    command->add_option("--policy-name,--pn", options->policy, "policy (default iothubowner)");
    auto* device = command->add_option("--device-id,-d", options->identity.device, "that of this device");
    command->add_option("--module-id,-m", options->identity.module, "that of this module of it")
        ->needs(device);
    add_mqtt_port_option(*command, options->mqtt_port);
}

void add_identity_connection_string(CLI::App& group, Run& run, Whose whose) {
    auto options = std::make_shared<ConnectionStringOptions>();
    auto* command = add_show(group, run, options, "its connection string");
    command->add_option("--device-id,-d", options->identity.device, "id of the device")->required();
    if (whose == Whose::module)
        command->add_option("--module-id,-m", options->identity.module, "id of the module")->required();
    add_mqtt_port_option(*command, options->mqtt_port);
}

}  // namespace app
