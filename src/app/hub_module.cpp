// SPDX-License-Identifier: Apache-2.0
#include "app/hub_module.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "app/hub_connection_string.hpp"
#include "app/hub_device_calls.hpp"
#include "app/hub_device_fields.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

struct ModuleOptions {
    HubLogin login;
    std::string device;
    std::string module;
    std::string managed_by;
    AuthOptions auth;
    std::string etag;
};

std::string module_target(const ModuleOptions& options) {
    return path_of({"devices", options.device, "modules", options.module}) + std::string(api_version);
}

base::Status create(const ModuleOptions& options) {
    if (auto fine = check_auth_options(options.auth); !fine) return fine;
    SP_TRY(return, const auto client, HubClient::make(options.login));
    json::object document{{"moduleId", options.module}, {"deviceId", options.device}};
    if (!options.managed_by.empty()) document["managedBy"] = options.managed_by;
    apply_auth(options.auth, document);
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::put,
                              .target = module_target(options),
                              .body = json::serialize(document)}));
    return show_identity(options.login, answer);
}

base::Status show(const ModuleOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer, client.send({.target = module_target(options)}));
    return show_identity(options.login, answer);
}

base::Status list(const ModuleOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send(
                     {.target = path_of({"devices", options.device, "modules"}) + std::string(api_version)}));
    SP_TRY(return, const auto value, parse_answer(answer));
    if (options.login.json()) {
        print_json(value);
    } else if (value.is_array()) {
        for (const auto& module : value.get_array()) {
            if (module.is_object()) fmt::print("{}\n", list_line(module.get_object()));
        }
    }
    return {};
}

base::Status update(const ModuleOptions& options) {
    if (auto fine = check_auth_options(options.auth); !fine) return fine;
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto before, client.send({.target = module_target(options)}));
    SP_TRY(return, auto value, parse_answer(before));
    if (!value.is_object()) return base::fail(base::Code::unavailable, "answer of the hub", "is no module");
    auto& document = value.get_object();
    const auto etag = options.etag.empty() ? text_member(document, "etag") : options.etag;
    if (!options.managed_by.empty()) document["managedBy"] = options.managed_by;
    apply_auth(options.auth, document);
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::put,
                              .target = module_target(options),
                              .body = json::serialize(document),
                              .if_match = quoted_etag(etag)}));
    return show_identity(options.login, answer);
}

base::Status remove(const ModuleOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    const auto match = quoted_etag(options.etag.empty() ? "*" : options.etag);
    SP_TRY(return, const auto answer,
                 client.send(
                     {.verb = http::Verb::delete_, .target = module_target(options), .if_match = match}));
    (void)answer;
    return {};
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<ModuleOptions>& options, const char* name,
                   const char* what, base::Status (*work)(const ModuleOptions&)) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    command->add_option("--device-id,-d", options->device, "id of the device")->required();
    if (std::string_view(name) != "list") {
        command->add_option("--module-id,-m", options->module, "id of the module")->required();
    }
    on_run(*command, run, options, work);
    return command;
}

}  // namespace

void add_hub_module(CLI::App& hub, Run& run) {
    auto* group =
        hub.add_subcommand("module", "modules of a device")->alias("module-identity")->require_subcommand(1);
    auto creating = std::make_shared<ModuleOptions>();
    auto* create_command = add_verb(*group, run, creating, "create", "register a module", &create);
    create_command->add_option("--managed-by", creating->managed_by, "who manages it, as iotEdge");
    add_auth_options(*create_command, creating->auth);

    add_verb(*group, run, std::make_shared<ModuleOptions>(), "show", "one module", &show);
    add_verb(*group, run, std::make_shared<ModuleOptions>(), "list", "all modules of a device", &list);

    auto updating = std::make_shared<ModuleOptions>();
    auto* update_command = add_verb(*group, run, updating, "update", "change a module", &update);
    update_command->add_option("--managed-by", updating->managed_by, "who manages it");
    update_command->add_option("--etag,-e", updating->etag, "fail unless the module still has this etag");
    add_auth_options(*update_command, updating->auth);

    auto deleting = std::make_shared<ModuleOptions>();
    add_verb(*group, run, deleting, "delete", "remove a module", &remove)
        ->add_option("--etag,-e", deleting->etag, "fail unless the module still has this etag");
    add_identity_connection_string(*group, run, Whose::module);
}

}  // namespace app
