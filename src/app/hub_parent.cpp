// SPDX-License-Identifier: Apache-2.0
#include "app/hub_parent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "app/hub_device_calls.hpp"
#include "app/hub_device_fields.hpp"
#include "app/hub_query.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

struct ParentOptions {
    HubLogin login;
    std::string device;
    std::string parent;
    std::vector<std::string> children;
    bool all = false;
    bool force = false;
};

/// Makes `child` one of `parent`, taking it from another only where that is asked for.
base::Status adopt(const HubClient& client, const std::string& child, const std::string& parent, bool force) {
    SP_TRY(return, auto document, fetch_device(client, child));
    const auto before = parent_scope(document);
    if (auto fine = set_parent(client, parent, document); !fine) return fine;
    if (before == parent_scope(document)) return {};
    if (!before.empty() && !force)
        return base::fail(base::Code::already_exists, "device " + child,
                          "has the parent " + scope_device(before), "give --force to take it from there");
    SP_TRY(return, const auto answer, put_device(client, document));
    (void)answer;
    return {};
}

base::Status leave(const HubClient& client, const std::string& child, const std::string& scope) {
    SP_TRY(return, auto document, fetch_device(client, child));
    if (parent_scope(document) != scope)
        return base::fail(base::Code::invalid_argument, "device " + child,
                          "is no child of " + scope_device(scope));
    if (auto fine = set_parent(client, {}, document); !fine) return fine;
    SP_TRY(return, const auto answer, put_device(client, document));
    (void)answer;
    return {};
}

/// An edge device and its own scope.
base::Result<std::string> scope_of(const HubClient& client, const std::string& parent) {
    SP_TRY(return, const auto document, fetch_device(client, parent));
    if (!is_edge(document))
        return base::fail(base::Code::invalid_argument, "device " + parent, "is not edge-enabled",
                          "only an edge device has children");
    return text_member(document, "deviceScope");
}

base::Result<std::vector<std::string>> children_of(const HubClient& client, const std::string& scope) {
    SP_TRY(return, const auto rows,
                 query_rows(client, "SELECT deviceId FROM devices WHERE ARRAY_CONTAINS(parentScopes, " +
                                        query_quoted(scope) + ")"));
    std::vector<std::string> children;
    for (const auto& row : rows) {
        if (row.is_object()) children.push_back(text_member(row.get_object(), "deviceId"));
    }
    return children;
}

/// "a b", "a,b" and "a, b" are the same.
std::vector<std::string> split_list(const std::vector<std::string>& given) {
    std::vector<std::string> ids;
    for (const auto& text : given) {
        for (const auto part : base::split(text, ','))
            if (const auto id = base::trim(part); !id.empty()) ids.emplace_back(id);
    }
    return ids;
}

base::Status set(const ParentOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    return adopt(client, options.device, options.parent, options.force);
}

base::Status show(const ParentOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto document, fetch_device(client, options.device));
    const auto scope = parent_scope(document);
    if (scope.empty()) return base::fail(base::Code::not_found, "device " + options.device, "has no parent");
    SP_TRY(return, const auto parent, fetch_device(client, scope_device(scope)));
    if (options.login.json())
        print_json(parent);
    else
        fmt::print("{}", describe_identity(parent));
    return {};
}

base::Status add(const ParentOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    for (const auto& child : split_list(options.children)) {
        if (auto fine = adopt(client, child, options.device, options.force); !fine) return fine;
    }
    return {};
}

base::Status list(const ParentOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto scope, scope_of(client, options.device));
    SP_TRY(return, const auto children, children_of(client, scope));
    if (options.login.json()) {
        print_json(json::array(children.begin(), children.end()));
    } else {
        for (const auto& child : children) fmt::print("{}\n", child);
    }
    return {};
}

base::Status remove(const ParentOptions& options) {
    auto children = split_list(options.children);
    if (options.all != children.empty())
        return base::fail(
            base::Code::usage, "children remove",
            options.all ? "takes --child-list or --remove-all, not both" : "does not know which",
            "give --child-list ID..., or --remove-all");
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto scope, scope_of(client, options.device));
    if (options.all) {
        SP_TRY(return, children, children_of(client, scope));
    }
    for (const auto& child : children) {
        if (auto fine = leave(client, child, scope); !fine) return fine;
    }
    return {};
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<ParentOptions>& options, const char* name,
                   const char* what, base::Status (*work)(const ParentOptions&)) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    command->add_option("--device-id,-d", options->device, "id of the device")->required();
    on_run(*command, run, options, work);
    return command;
}

}  // namespace

void add_hub_parent(CLI::App& device, Run& run) {
    auto* parent = device.add_subcommand("parent", "the edge device above a device")->require_subcommand(1);
    auto setting = std::make_shared<ParentOptions>();
    auto* set_command = add_verb(*parent, run, setting, "set", "make a device its child", &set);
    set_command->add_option("--parent-device-id,--pd", setting->parent, "id of the edge device")->required();
    set_command->add_flag("--force,-f", setting->force, "also where it has another parent");
    add_verb(*parent, run, std::make_shared<ParentOptions>(), "show", "the parent of a device", &show);

    auto* children =
        device.add_subcommand("children", "the devices below an edge device")->require_subcommand(1);
    auto adding = std::make_shared<ParentOptions>();
    auto* add_command = add_verb(*children, run, adding, "add", "make devices its children", &add);
    add_command->add_option("--child-list,--cl", adding->children, "ids of the devices")
        ->required()
        ->expected(1, -1);
    add_command->add_flag("--force,-f", adding->force, "also those that have another parent");
    add_verb(*children, run, std::make_shared<ParentOptions>(), "list", "ids of its children", &list);
    auto removing = std::make_shared<ParentOptions>();
    auto* remove_command =
        add_verb(*children, run, removing, "remove", "leave devices without a parent", &remove);
    remove_command->add_option("--child-list,--cl", removing->children, "ids of the devices")
        ->expected(1, -1);
    remove_command->add_flag("--remove-all,-a", removing->all, "all of them");
}

}  // namespace app
