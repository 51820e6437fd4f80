// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "azure/json_text.hpp"
#include "azure/method.hpp"
#include "azure/raw_json.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

/// As deep as the hub reads a request.
constexpr std::size_t deepest = 32;

struct MethodOptions {
    HubLogin login;
    std::string device;
    std::string module;
    std::string name;
    std::string payload;
    int timeout = 30;
    int connect_timeout = 0;
};

/// JSON as it was given, or as it stands in the file that was named.
base::Result<std::string> payload_of(const MethodOptions& options) {
    if (options.payload.empty() || azure::is_json(options.payload, deepest)) return options.payload;
    std::error_code none;
    if (std::filesystem::is_regular_file(options.payload, none)) {
        SP_TRY(return, auto text, base::read_file(options.payload, "method payload"));
        if (azure::is_json(text, deepest)) return text;
        return base::fail(base::Code::usage, "file " + options.payload, "is not JSON");
    }
    return base::fail(base::Code::usage, "--method-payload", "is neither JSON nor a file with it",
                      "a text needs quotes of its own: '\"text\"'");
}

base::Status invoke(const MethodOptions& options) {
    SP_TRY(return, const auto payload, payload_of(options));
    SP_TRY(return, const auto client, HubClient::make(options.login));
    HubClient::Ask ask;
    ask.verb = http::Verb::post;
    ask.target = options.module.empty()
                     ? path_of({"twins", options.device, "methods"})
                     : path_of({"twins", options.device, "modules", options.module, "methods"});
    ask.target += "?api-version=2021-04-12";
    ask.body = fmt::format(R"({{"methodName":{},"responseTimeoutInSeconds":{},"connectTimeoutInSeconds":{})",
                           json::serialize(json::string_view(options.name.data(), options.name.size())),
                           options.timeout, options.connect_timeout);
    if (!payload.empty()) ask.body += ",\"payload\":" + payload;
    ask.body += "}";
    ask.limit = std::chrono::seconds(options.timeout + options.connect_timeout + 30);
    SP_TRY(return, const auto answer, client.send(ask));
    SP_TRY(return, const auto value, parse_answer(answer));
    if (!value.is_object()) {
        return base::fail(base::Code::unavailable, "answer of the hub", "is no result of a method");
    }
    if (options.login.json()) {
        print_json(value);
        return {};
    }
    const auto members = azure::raw_members(answer.body).value_or(azure::RawMembers{});
    fmt::print("status: {}\npayload: {}\n", azure::raw_member(members, "status"),
               azure::raw_member(members, "payload"));
    return {};
}

enum class Called { device, module, either };

void add_command(CLI::App& hub, Run& run, const char* name, const char* what, Called called) {
    auto options = std::make_shared<MethodOptions>();
    auto* command = hub.add_subcommand(name, what);
    add_login_options(*command, options->login);
    command->add_option("--device-id,-d", options->device, "id of the device")->required();
    if (called != Called::device) {
        auto* module = command->add_option("--module-id,-m", options->module, "id of the module");
        if (called == Called::module) module->required();
    }
    command->add_option("--method-name,--mn", options->name, "what is called")->required();
    command->add_option("--method-payload,--mp", options->payload,
                        "JSON for the device, or a file with it; none where left out");
    command->add_option("--timeout,--to", options->timeout, "seconds that the device may take to answer")
        ->check(CLI::Range(5, 300))
        ->capture_default_str();
    command
        ->add_option("--connect-timeout,--cto", options->connect_timeout,
                     "seconds to wait for the device to be there")
        ->check(CLI::Range(0, 300))
        ->capture_default_str();
    on_run(*command, run, options, &invoke);
}

}  // namespace

void add_hub_method(CLI::App& hub, Run& run) {
    add_command(hub, run, "invoke-method", "call a direct method of a device or module", Called::either);
    add_command(hub, run, "invoke-device-method", "call a direct method of a device", Called::device);
    add_command(hub, run, "invoke-module-method", "call a direct method of a module", Called::module);
}

}  // namespace app
