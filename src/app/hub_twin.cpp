// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace app {

namespace {

struct TwinOptions {
    HubLogin login;
    std::string device;
    std::string module;
    std::string tags;
    std::string desired;
    std::string document;
    std::string etag;
};

std::string twin_target(const TwinOptions& options) {
    const auto path = options.module.empty() ? path_of({"twins", options.device})
                                             : path_of({"twins", options.device, "modules", options.module});
    return path + std::string(api_version);
}

/// The text of a JSON object, given itself or as the name of its file. It goes to the hub as it stands, so
/// that no number is written anew.
base::Result<std::string> object_text(const std::string& given, const std::string& option) {
    auto text = given;
    if (!base::trim(given).starts_with('{')) {
        SP_TRY(return, text, base::read_file(given, option));
    }
    boost::system::error_code failed;
    const auto value = boost::json::parse(text, failed);
    if (!failed && value.is_object()) return text;
    return base::fail(base::Code::usage, option, "is no JSON object",
                      "give one as '{\"name\": value}', or the name of a file with it");
}

/// What --tags and --desired ask for, as the body of a write.
base::Result<std::string> sections(const TwinOptions& options) {
    std::string body = "{";
    if (!options.tags.empty()) {
        SP_TRY(return, const auto tags, object_text(options.tags, "--tags"));
        body += R"("tags":)" + tags;
    }
    if (!options.desired.empty()) {
        SP_TRY(return, const auto desired, object_text(options.desired, "--desired"));
        body += (body.size() > 1 ? "," : "") + (R"("properties":{"desired":)" + desired + "}");
    }
    if (body.size() > 1) return body + "}";
    return base::fail(base::Code::usage, "the change of the twin", "is missing", "give --tags or --desired");
}

base::Status ask(const TwinOptions& options, HubClient::Ask question) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    question.target = twin_target(options);
    SP_TRY(return, const auto answer, client.send(question));
    SP_TRY(return, const auto value, parse_answer(answer));
    // A twin is JSON for people too.
    print_json(value);
    return {};
}

base::Status write(const TwinOptions& options, http::Verb verb, std::string body) {
    const auto& etag = options.etag;
    HubClient::Ask question{.verb = verb, .body = std::move(body)};
    if (!etag.empty()) question.if_match = etag == "*" || etag.starts_with('"') ? etag : "\"" + etag + "\"";
    return ask(options, std::move(question));
}

base::Status show(const TwinOptions& options) {
    return ask(options, {});
}

base::Status update(const TwinOptions& options) {
    SP_TRY(return, auto body, sections(options));
    return write(options, http::Verb::patch, std::move(body));
}

base::Status replace(const TwinOptions& options) {
    if (options.document.empty()) {
        SP_TRY(return, auto body, sections(options));
        return write(options, http::Verb::put, std::move(body));
    }
    SP_TRY(return, auto body, object_text(options.document, "--json"));
    return write(options, http::Verb::put, std::move(body));
}

enum class Modules { none, all, some };

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<TwinOptions>& options, Modules modules,
                   const char* name, const char* what, base::Status (*work)(const TwinOptions&)) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    command->add_option("--device-id,-d", options->device, "id of the device")->required();
    if (modules != Modules::none) {
        command
            ->add_option("--module-id,-m", options->module,
                         modules == Modules::some ? "id of the module; without it the device's own twin"
                                                  : "id of the module")
            ->required(modules == Modules::all);
    }
    on_run(*command, run, options, work);
    return command;
}

void add_section_options(CLI::App& command, TwinOptions& options) {
    command.add_option("--tags", options.tags, "JSON object, or a file with it");
    command.add_option("--desired", options.desired, "JSON object of desired properties, or a file with it");
    command.add_option("--etag,-e", options.etag, "fail unless the twin still has this etag");
}

void add_group(CLI::App& hub, Run& run, const char* name, const char* what, Modules modules) {
    auto* group = hub.add_subcommand(name, what)->require_subcommand(1);
    add_verb(*group, run, std::make_shared<TwinOptions>(), modules, "show", "the twin as JSON", &show);

    auto updating = std::make_shared<TwinOptions>();
    add_section_options(
        *add_verb(*group, run, updating, modules, "update", "merge into it; null deletes", &update),
        *updating);

    auto replacing = std::make_shared<TwinOptions>();
    auto* replace_command = add_verb(*group, run, replacing, modules, "replace",
                                     "put whole sections in place of those there", &replace);
    add_section_options(*replace_command, *replacing);
    replace_command->add_option("--json,-j", replacing->document, "the whole twin, or a file with it")
        ->excludes("--tags")
        ->excludes("--desired");
}

}  // namespace

void add_hub_twin(CLI::App& hub, Run& run) {
    add_group(hub, run, "twin", "twins of devices and modules", Modules::some);
    add_group(hub, run, "device-twin", "twins of devices, by az's name", Modules::none);
    add_group(hub, run, "module-twin", "twins of modules, by az's name", Modules::all);
}

}  // namespace app
