// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "app/hub_credentials.hpp"
#include "app/hub_data.hpp"
#include "azure/connection_string.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "registry/registry.hpp"
#include "trust/sas_token.hpp"

namespace app {

namespace {

constexpr long long longest_duration = 10LL * 366 * 24 * 3600;

struct SasTokenOptions {
    HubLogin login;
    HubData where;
    std::string connection_string;
    IdentityChoice identity;
    std::string policy;  ///< empty: not given
    long long duration = 3600;
};

/// What is signed, and with which key.
struct Signing {
    std::string resource;
    std::string key;
    std::string policy{};  ///< empty: an identity signs for itself
};

std::string identity_resource(const std::string& host, const std::string& device, const std::string& module) {
    return host + "/" + trust::resource_path({device, module});
}

base::Result<azure::ConnectionString> parse_given(const std::string& text) {
    auto parsed = azure::parse_connection_string(text);
    if (parsed) return parsed;
    auto error = std::move(parsed).error();
    error.code = base::Code::usage;
    return std::unexpected(std::move(error));
}

/// Whatever a connection string is for, its key can sign.
base::Result<Signing> by_connection_string(const std::string& text) {
    SP_TRY(return, const auto given, parse_given(text));
    if (given.key.empty())
        return base::fail(base::Code::usage, "connection string", "has no key, a certificate takes its place",
                          "a token needs a key");
    if (given.device_id.empty()) return Signing{given.host, given.key, given.policy};
    return Signing{identity_resource(given.host, given.device_id, given.module_id), given.key};
}

base::Result<Signing> by_identity(const SasTokenOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto credential, fetch_credential(client, options.identity));
    if (credential.key.empty())
        return base::fail(base::Code::invalid_argument, "identity " + options.identity.text(),
                          "has no key to sign with (its authentication is " + credential.type + ")");
    const auto& identity = options.identity;
    return Signing{identity_resource(client.host(), identity.device, identity.module), credential.key};
}

base::Result<Signing> by_registry(const SasTokenOptions& options) {
    SP_TRY(return, const auto config, open_hub_data(options.where));
    SP_TRY(return, const auto reader, registry::Reader::open(config.registry_file()));
    const auto name = options.policy.empty() ? std::string("iothubowner") : options.policy;
    SP_TRY(return, const auto policy, reader->policy(name));
    if (!policy) return base::fail(base::Code::not_found, "policy " + name, "does not exist");
    const bool primary = options.identity.key_type == "primary";
    return Signing{config.name(), primary ? policy->primary_key : policy->secondary_key, policy->name};
}

base::Result<Signing> by_login(const SasTokenOptions& options) {
    SP_TRY(return, const auto text, login_text(options.login));
    SP_TRY(return, auto signing, by_connection_string(text));
    if (!options.policy.empty() && options.policy != signing.policy)
        return base::fail(base::Code::usage, "policy " + options.policy,
                          "is not that of the connection string",
                          "give the connection string of that policy, or --data DIR at the hub's machine");
    return signing;
}

base::Result<Signing> signing_of(const SasTokenOptions& options) {
    if (!options.connection_string.empty()) return by_connection_string(options.connection_string);
    if (!options.identity.device.empty()) return by_identity(options);
    if (!options.where.data.empty()) return by_registry(options);
    return by_login(options);
}

Exit generate(const SasTokenOptions& options) {
    const auto signing = signing_of(options);
    if (!signing) return report_hub(signing.error());
    const auto expires = base::system_clock().now() + std::chrono::seconds(options.duration);
    const auto token = trust::make_sas_token(signing->resource, signing->key, expires, signing->policy);
    if (!token) return report(token.error());
    if (options.login.json())
        print_json(boost::json::object{{"sas", *token}});
    else
        fmt::print("{}\n", *token);
    return Exit::done;
}

void add_generate(CLI::App& parent, Run& run, const char* name) {
    auto options = std::make_shared<SasTokenOptions>();
    auto* command = parent.add_subcommand(
        name, "print a token: of a device or module, else of the policy of the connection string");
    add_login_options(*command, options->login);
    auto* device = command->add_option("--device-id,-d", options->identity.device, "for this device");
    command->add_option("--module-id,-m", options->identity.module, "for this module of it")->needs(device);
    command->add_option(
        "--connection-string,--cs", options->connection_string,
        "sign with the key of this connection string of a policy, device or module; asks nobody");
    command->add_option("--policy-name,--pn", options->policy, "policy (default iothubowner with --data)");
    command->add_option("--data", options->where.data,
                        "directory of the hub, for a policy's key: for its user or root, at its machine");
    command->add_option("--config", options->where.config, "configuration (default DIR/hub.toml)");
    add_key_type_option(*command, options->identity.key_type);
    command->add_option("--duration,--du", options->duration, "seconds that it is good for (default 3600)")
        ->check(CLI::Range(1LL, longest_duration));
    command->callback([options, &run] { run = [options] { return generate(*options); }; });
}

}  // namespace

void add_hub_sas_token(CLI::App& hub, Run& run) {
    auto* group = hub.add_subcommand("sas-token", "shared access signatures")->require_subcommand(1);
    add_generate(*group, run, "generate");
    add_generate(hub, run, "generate-sas-token");
}

}  // namespace app
