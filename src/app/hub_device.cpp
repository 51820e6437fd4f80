// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "app/hub_connection_string.hpp"
#include "app/hub_device_calls.hpp"
#include "app/hub_device_fields.hpp"
#include "app/hub_module.hpp"
#include "app/hub_parent.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

struct DeviceOptions {
    HubLogin login;
    std::string device;
    AuthOptions auth;
    std::optional<bool> edge_enabled;
    std::string status;
    std::optional<std::string> status_reason;
    std::optional<std::string> device_scope;
    std::optional<std::string> parent;  ///< empty: no parent any more
    std::string etag;
    int top = 1000;
};

base::Status apply(const HubClient& client, const DeviceOptions& options, json::object& document) {
    if (!options.status.empty()) document["status"] = options.status;
    if (options.status_reason) document["statusReason"] = *options.status_reason;
    if (options.edge_enabled) document["capabilities"] = json::object{{"iotEdge", *options.edge_enabled}};
    if (options.device_scope) document["deviceScope"] = *options.device_scope;
    apply_auth(options.auth, document);
    if (options.parent) return set_parent(client, *options.parent, document);
    return {};
}

base::Status create(const DeviceOptions& options) {
    if (auto fine = check_auth_options(options.auth); !fine) return fine;
    SP_TRY(return, const auto client, HubClient::make(options.login));
    json::object document{{"deviceId", options.device}, {"status", "enabled"}};
    if (auto fine = apply(client, options, document); !fine) return fine;
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::put,
                              .target = device_target(options.device),
                              .body = json::serialize(document)}));
    return show_identity(options.login, answer);
}

base::Status show(const DeviceOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer, client.send({.target = device_target(options.device)}));
    return show_identity(options.login, answer);
}

base::Status list(const DeviceOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send({.target = "/devices/" + std::string(api_version) +
                                        "&top=" + std::to_string(options.top)}));
    SP_TRY(return, auto value, parse_answer(answer));
    if (options.edge_enabled && value.is_array()) {
        json::array kept;
        for (auto& device : value.get_array()) {
            if (device.is_object() && is_edge(device.get_object()) == *options.edge_enabled)
                kept.push_back(std::move(device));
        }
        value = std::move(kept);
    }
    if (options.login.json()) {
        print_json(value);
    } else if (value.is_array()) {
        for (const auto& device : value.get_array()) {
            if (device.is_object()) fmt::print("{}\n", list_line(device.get_object()));
        }
    }
    return {};
}

base::Status update(const DeviceOptions& options) {
    if (auto fine = check_auth_options(options.auth); !fine) return fine;
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, auto document, fetch_device(client, options.device));
    // What was read is what is changed: somebody else's write in between gives 412.
    if (!options.etag.empty()) document["etag"] = options.etag;
    if (auto fine = apply(client, options, document); !fine) return fine;
    SP_TRY(return, const auto answer, put_device(client, document));
    return show_identity(options.login, answer);
}

base::Status remove(const DeviceOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    const auto match = quoted_etag(options.etag.empty() ? "*" : options.etag);
    SP_TRY(
        return, const auto answer,
              client.send(
                  {.verb = http::Verb::delete_, .target = device_target(options.device), .if_match = match}));
    (void)answer;
    return {};
}

std::function<void(bool)> edge_enabled_of(const std::shared_ptr<DeviceOptions>& options) {
    return [options](bool enabled) { options->edge_enabled = enabled; };
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<DeviceOptions>& options, const char* name,
                   const char* what, base::Status (*work)(const DeviceOptions&)) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    if (std::string_view(name) != "list") {
        command->add_option("--device-id,-d", options->device, "id of the device")->required();
    }
    on_run(*command, run, options, work);
    return command;
}

void add_field_options(CLI::App& command, DeviceOptions& options) {
    command.add_option("--status,--sta", options.status, "enabled or disabled")
        ->check(CLI::IsMember({"enabled", "disabled"}));
    command.add_option("--status-reason,--star", options.status_reason, "why, up to 128 characters");
    command.add_option("--device-scope", options.device_scope, "scope of the parent, as the hub spells it");
    command.add_option("--parent", options.parent, "id of the edge device that is its parent; '' for none");
    add_auth_options(command, options.auth);
}

}  // namespace

void add_hub_device(CLI::App& hub, Run& run) {
    auto* group =
        hub.add_subcommand("device", "devices of a hub")->alias("device-identity")->require_subcommand(1);

    auto creating = std::make_shared<DeviceOptions>();
    auto* create_command = add_verb(*group, run, creating, "create", "register a device", &create);
    add_truth_option(*create_command, "--edge-enabled,--ee", edge_enabled_of(creating),
                     "it is an IoT Edge device");
    add_field_options(*create_command, *creating);

    auto showing = std::make_shared<DeviceOptions>();
    add_verb(*group, run, showing, "show", "one device", &show);

    auto listing = std::make_shared<DeviceOptions>();
    auto* list_command = add_verb(*group, run, listing, "list", "all devices, at most 1000", &list);
    list_command->add_option("--top", listing->top, "how many at most, before --edge-enabled leaves some out")
        ->check(CLI::Range(1, 1000));
    add_truth_option(*list_command, "--edge-enabled,--ee", edge_enabled_of(listing),
                     "edge devices alone, or none of them");

    auto updating = std::make_shared<DeviceOptions>();
    auto* update_command = add_verb(*group, run, updating, "update", "change a device", &update);
    add_truth_option(*update_command, "--edge-enabled,--ee", edge_enabled_of(updating),
                     "it is an IoT Edge device");
    update_command->add_option("--etag,-e", updating->etag, "fail unless the device still has this etag");
    add_field_options(*update_command, *updating);

    auto deleting = std::make_shared<DeviceOptions>();
    add_verb(*group, run, deleting, "delete", "remove a device with its modules", &remove)
        ->add_option("--etag,-e", deleting->etag, "fail unless the device still has this etag");

    add_hub_parent(*group, run);
    add_identity_connection_string(*group, run, Whose::device);
    add_hub_module(hub, run);
}

}  // namespace app
