// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "app/hub_client.hpp"
#include "app/hub_data.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "registry/registry.hpp"

namespace app {

namespace {

namespace json = boost::json;
using registry::KeyRenewal;
using registry::Policy;
using registry::Right;

struct PolicyOptions {
    HubData where;
    std::string name;
    std::string kind;
    std::string output = "text";
};

std::string rights_of(const Policy& policy) {
    std::string out;
    for (const auto& [right, name] :
         {std::pair{Right::registry_read, "RegistryRead"}, std::pair{Right::registry_write, "RegistryWrite"},
          std::pair{Right::service_connect, "ServiceConnect"},
          std::pair{Right::device_connect, "DeviceConnect"}}) {
        if (policy.has(right)) out += (out.empty() ? "" : ", ") + std::string(name);
    }
    return out;
}

/// As az shows it.
json::object document(const Policy& policy) {
    return {{"keyName", policy.name},
            {"primaryKey", policy.primary_key},
            {"rights", rights_of(policy)},
            {"secondaryKey", policy.secondary_key}};
}

/// For people: no key.
std::string line(const Policy& policy) {
    return fmt::format("{:<20}{}\n", policy.name, rights_of(policy));
}

void print(const PolicyOptions& options, const Policy& policy) {
    if (options.output == "json")
        print_json(document(policy));
    else
        fmt::print("{}", line(policy));
}

base::Status list(const PolicyOptions& options) {
    SP_TRY(return, const auto config, open_hub_data(options.where));
    SP_TRY(return, const auto reader, registry::Reader::open(config.registry_file()));
    SP_TRY(return, const auto all, reader->policies());
    if (options.output == "json") {
        json::array documents;
        for (const auto& policy : all) documents.push_back(document(policy));
        print_json(documents);
        return {};
    }
    for (const auto& policy : all) fmt::print("{}", line(policy));
    return {};
}

base::Status show(const PolicyOptions& options) {
    SP_TRY(return, const auto config, open_hub_data(options.where));
    SP_TRY(return, const auto reader, registry::Reader::open(config.registry_file()));
    SP_TRY(return, const auto policy, reader->policy(options.name));
    if (!policy)
        return base::fail(base::Code::not_found, "policy " + options.name, "does not exist",
                          "sallyport hub policy list shows those that do");
    print(options, *policy);
    return {};
}

/// Beside a running hub, which reads the keys anew for each token.
base::Status renew(const PolicyOptions& options) {
    SP_TRY(return, const auto config, open_hub_data(options.where));
    SP_TRY(return, const auto registry,
                 registry::Registry::open(config.registry_file(), base::system_clock()));
    const auto which = options.kind == "primary"     ? KeyRenewal::primary
                       : options.kind == "secondary" ? KeyRenewal::secondary
                                                     : KeyRenewal::swap;
    SP_TRY(return, const auto policy, registry->renew_policy_key(options.name, which));
    print(options, policy);
    return {};
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<PolicyOptions>& options, const char* name,
                   const char* what, base::Status (*work)(const PolicyOptions&)) {
    auto* command = group.add_subcommand(name, what);
    command->add_option("--data", options->where.data, "directory of the hub")->required();
    command->add_option("--config", options->where.config, "configuration (default DIR/hub.toml)");
    command->add_option("--output,-o", options->output, "text or json; only json has the keys")
        ->check(CLI::IsMember({"text", "json"}));
    if (std::string_view(name) != "list")
        command->add_option("--name,-n,--policy-name,--pn", options->name, "name of the policy")->required();
    command->callback([options, work, &run] {
        run = [options, work] {
            const auto done = work(*options);
            return done ? Exit::done : report(done.error());
        };
    });
    return command;
}

}  // namespace

void add_hub_policy(CLI::App& hub, Run& run) {
    auto* group =
        hub.add_subcommand("policy", "shared access policies; for the hub's user or root, at its machine")
            ->require_subcommand(1);
    add_verb(*group, run, std::make_shared<PolicyOptions>(), "list", "all policies", &list);
    add_verb(*group, run, std::make_shared<PolicyOptions>(), "show", "one policy", &show);
    auto renewing = std::make_shared<PolicyOptions>();
    add_verb(*group, run, renewing, "renew-key",
             "a new key, or the two exchanged; a running hub takes it at once", &renew)
        ->add_option("--kind,--renew-key,--rk", renewing->kind, "primary, secondary or swap")
        ->required()
        ->check(CLI::IsMember({"primary", "secondary", "swap"}));
}

}  // namespace app
