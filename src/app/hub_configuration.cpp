// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "app/hub_client.hpp"
#include "app/hub_device_calls.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

struct ConfigurationOptions {
    HubLogin login;
    std::string id;
    std::string device;
    std::string content;
    std::string target_condition;
    std::string labels;
    std::string metrics;
    std::int64_t priority = 0;
    std::string etag;
    int top = 100;
};

std::string target(const ConfigurationOptions& options) {
    return path_of({"configurations", options.id}) + std::string(api_version);
}

/// JSON given in the option itself, or in the file that it names, as az takes both.
base::Result<json::object> object_of(const std::string& option, const std::string& given) {
    if (given.empty()) return json::object();
    std::string text = given;
    if (!base::trim(given).starts_with('{')) {
        SP_TRY(return, text, base::read_file(given, option));
    }
    json::error_code failed;
    auto value = json::parse(text, failed);
    if (failed || !value.is_object())
        return base::fail(base::Code::usage, option, "is no JSON object",
                          "give the object or a file with it");
    return std::move(value.get_object());
}

/// The content itself, also where it comes inside a member `content`, as the portal exports it.
base::Result<json::object> content_of(const ConfigurationOptions& options) {
    SP_TRY(return, auto given, object_of("--content", options.content));
    if (auto* inner = given.if_contains("content"); inner != nullptr && inner->is_object())
        return std::move(inner->get_object());
    return given;
}

base::Status show_configuration(const HubLogin& login, const http::Response& answer) {
    SP_TRY(return, const auto value, parse_answer(answer));
    (void)login;  // it has no shorter form than its JSON
    print_json(value);
    return {};
}

base::Status create(const ConfigurationOptions& options) {
    SP_TRY(return, auto content, content_of(options));
    SP_TRY(return, auto labels, object_of("--labels", options.labels));
    SP_TRY(return, auto metrics, object_of("--metrics", options.metrics));
    if (const auto* inner = metrics.if_contains("metrics"); inner != nullptr && inner->is_object())
        metrics = json::object(inner->get_object());
    SP_TRY(return, const auto client, HubClient::make(options.login));
    const json::object document{{"id", options.id},
                                {"schemaVersion", "1.0"},
                                {"content", std::move(content)},
                                {"targetCondition", options.target_condition},
                                {"priority", options.priority},
                                {"labels", std::move(labels)},
                                {"metrics", std::move(metrics)}};
    SP_TRY(
        return, const auto answer,
              client.send(
                  {.verb = http::Verb::put, .target = target(options), .body = json::serialize(document)}));
    return show_configuration(options.login, answer);
}

base::Status show(const ConfigurationOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer, client.send({.target = target(options)}));
    return show_configuration(options.login, answer);
}

base::Status list(const ConfigurationOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send({.target = "/configurations" + std::string(api_version) +
                                        "&top=" + std::to_string(options.top)}));
    SP_TRY(return, const auto value, parse_answer(answer));
    if (options.login.json()) {
        print_json(value);
    } else if (value.is_array()) {
        for (const auto& one : value.get_array()) {
            if (!one.is_object()) continue;
            const auto& members = one.get_object();
            fmt::print("{}  priority {}  {}\n", json::value_to<std::string>(members.at("id")),
                       json::serialize(members.at("priority")),
                       json::serialize(members.at("targetCondition")));
        }
    }
    return {};
}

base::Status remove(const ConfigurationOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    const auto match = quoted_etag(options.etag.empty() ? "*" : options.etag);
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::delete_, .target = target(options), .if_match = match}));
    (void)answer;
    return {};
}

base::Status apply(const ConfigurationOptions& options) {
    SP_TRY(return, const auto content, content_of(options));
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::post,
                              .target = path_of({"devices", options.device, "applyConfigurationContent"}) +
                                        std::string(api_version),
                              .body = json::serialize(content)}));
    (void)answer;
    return {};
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<ConfigurationOptions>& options,
                   const char* name, const char* what, base::Status (*work)(const ConfigurationOptions&)) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    on_run(*command, run, options, work);
    return command;
}

void add_id(CLI::App& command, ConfigurationOptions& options) {
    command.add_option("--config-id,-c", options.id, "id of the configuration")->required();
}

}  // namespace

void add_hub_configuration(CLI::App& hub, Run& run) {
    auto* group = hub.add_subcommand("configuration", "configurations of a hub")->require_subcommand(1);
    auto creating = std::make_shared<ConfigurationOptions>();
    auto* create_command = add_verb(*group, run, creating, "create", "store a configuration", &create);
    add_id(*create_command, *creating);
    create_command->add_option("--content,-k", creating->content, "JSON, or a file with it")->required();
    create_command->add_option("--target-condition,--tc", creating->target_condition,
                               "which twins it is for");
    create_command->add_option("--priority,--pri", creating->priority, "the greater one wins");
    create_command->add_option("--labels,--lab", creating->labels, "JSON, or a file with it");
    create_command->add_option("--metrics,-m", creating->metrics, "JSON with queries, or a file with it");

    auto showing = std::make_shared<ConfigurationOptions>();
    add_id(*add_verb(*group, run, showing, "show", "one configuration", &show), *showing);

    auto listing = std::make_shared<ConfigurationOptions>();
    add_verb(*group, run, listing, "list", "all configurations", &list)
        ->add_option("--top", listing->top, "at most so many")
        ->check(CLI::Range(1, 100));

    auto deleting = std::make_shared<ConfigurationOptions>();
    auto* delete_command = add_verb(*group, run, deleting, "delete", "remove a configuration", &remove);
    add_id(*delete_command, *deleting);
    delete_command->add_option("--etag,-e", deleting->etag, "fail unless it still has this etag");

    auto applying = std::make_shared<ConfigurationOptions>();
    auto* apply_command = add_verb(hub, run, applying, "set-modules",
                                   "apply a content to one device: az iot edge set-modules", &apply);
    apply_command->add_option("--device-id,-d", applying->device, "id of the device")->required();
    apply_command->add_option("--content,-k", applying->content, "JSON, or a file with it")->required();
}

}  // namespace app
