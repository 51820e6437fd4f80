// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "pki/digest.hpp"

/// Cloud-to-device messages from the command line: what a service sends, and what a device would receive.
namespace app {

namespace {

namespace json = boost::json;

constexpr std::string_view application_prefix = "iothub-app-";
constexpr std::size_t largest_data = 64 * 1024;

struct C2dMessageOptions {
    HubLogin login;
    std::string device;
    std::optional<std::string> data;
    std::string data_file;
    std::string properties;
    std::string message_id;
    std::string correlation_id;
    std::string user_id;
    std::string content_type;
    std::string content_encoding;
    std::string ack;
    std::optional<std::int64_t> expiry;  ///< milliseconds since 1970
    std::optional<int> lock_timeout;
    bool complete = false;
    bool reject = false;
    bool abandon = false;
    int wait = 0;
};

/// How a command ended that the hub has not refused.
struct Answered {
    Exit exit = Exit::done;
};
using Work = base::Result<Answered> (*)(const C2dMessageOptions&);

std::string device_path(const C2dMessageOptions& options) {
    return path_of({"devices", options.device, "messages", "devicebound"});
}

base::Status bad_properties(std::string_view part) {
    return base::fail(base::Code::usage, "property \"" + std::string(part) + "\"",
                      "is not a name, '=' and a value that may stand in an HTTP header",
                      "write --properties \"key=value;key2=value2\"");
}

/// "k=v;k2=v2" as headers.
base::Status add_properties(std::string_view text,
                            std::vector<std::pair<std::string, std::string>>& headers) {
    constexpr std::string_view forbidden = "()<>@,;:\\\"/[]?={}";
    for (const auto part : base::split(text, ';')) {
        if (base::trim(part).empty()) continue;
        const auto equals = part.find('=');
        const auto name = base::trim(part.substr(0, equals));
        if (equals == part.npos || name.empty()) return bad_properties(part);
        const auto is_token = std::ranges::all_of(
            name, [&](char c) { return c > ' ' && c <= '~' && forbidden.find(c) == forbidden.npos; });
        const auto value = part.substr(equals + 1);
        const auto is_line = std::ranges::all_of(
            value, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 127; });
        if (!is_token || !is_line) return bad_properties(part);
        headers.emplace_back(std::string(application_prefix) + std::string(name), std::string(value));
    }
    return {};
}

base::Result<std::string> read_data(const C2dMessageOptions& options) {
    if (options.data && !options.data_file.empty())
        return base::fail(base::Code::usage, "--data and --data-file-path", "are both given", "give one");
    if (options.data) return *options.data;
    if (options.data_file.empty())
        return base::fail(base::Code::usage, "message", "has no data", "give --data or --data-file-path");
    return base::read_file(options.data_file, "message", largest_data);
}

base::Result<Answered> send(const C2dMessageOptions& options) {
    SP_TRY(return, auto data, read_data(options));
    const auto id = options.message_id.empty() ? pki::random_uuid() : options.message_id;
    std::vector<std::pair<std::string, std::string>> headers{{"Content-Type", "application/octet-stream"},
                                                             {"iothub-messageid", id}};
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) headers.emplace_back(name, value);
    };
    add("iothub-correlationid", options.correlation_id);
    add("iothub-userid", options.user_id);
    add("iothub-contenttype", options.content_type);
    add("iothub-contentencoding", options.content_encoding);
    add("iothub-ack", options.ack);
    if (options.expiry) add("iothub-expiry", std::to_string(*options.expiry));
    if (auto fine = add_properties(options.properties, headers); !fine)
        return std::unexpected(std::move(fine).error());
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::post,
                              .target = device_path(options) + std::string(api_version),
                              .body = std::move(data),
                              .headers = std::move(headers)}));
    if (options.login.json())
        print_json(json::object{{"messageId", id}});
    else
        fmt::print("{}\n", id);
    return Answered{};
}

base::Result<Answered> purge(const C2dMessageOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::delete_,
                              .target = path_of({"devices", options.device, "commands"}) +
                                        std::string(api_version)}));
    SP_TRY(return, const auto value, parse_answer(answer));
    const auto* object = value.if_object();
    const auto* count = object == nullptr ? nullptr : object->if_contains("totalMessagesPurged");
    if (count == nullptr) return base::fail(base::Code::unavailable, "answer of the hub", "has no count");
    if (options.login.json())
        print_json(value);
    else
        fmt::print("{} messages purged\n", json::serialize(*count));
    return Answered{};
}

/// The message in the members that az shows.
json::object describe(const http::Response& answer, const std::string& etag) {
    json::object system;
    json::object application;
    for (const auto& [name, value] : answer.headers.all()) {
        const auto lower = base::to_lower(name);
        if (lower.starts_with(application_prefix))
            application[name.substr(application_prefix.size())] = value;
        else if (lower.starts_with("iothub-") || lower == "dt-subject")
            system[lower] = value;
    }
    json::object out;
    out["data"] = base::is_utf8(answer.body) ? answer.body : base::to_base64(base::as_bytes(answer.body));
    out["etag"] = etag;
    out["properties"] = json::object{{"app", std::move(application)}, {"system", std::move(system)}};
    return out;
}

base::Status settle(const HubClient& client, const C2dMessageOptions& options, const std::string& etag) {
    const auto path = device_path(options) + path_of({etag});
    HubClient::Ask ask;
    if (options.abandon) {
        ask.verb = http::Verb::post;
        ask.target = path + "/abandon" + std::string(api_version);
    } else if (options.complete || options.reject) {
        ask.verb = http::Verb::delete_;
        ask.target = path + std::string(api_version) + (options.reject ? "&reject" : "");
    } else {
        return {};
    }
    if (auto settled = client.send(ask); !settled) return std::unexpected(std::move(settled).error());
    return {};
}

base::Result<Answered> receive(const C2dMessageOptions& options) {
    if (options.complete + options.reject + options.abandon > 1)
        return base::fail(base::Code::usage, "--complete, --reject and --abandon", "exclude each other",
                          "give one");
    SP_TRY(return, const auto client, HubClient::make(options.login));
    HubClient::Ask ask{.target = device_path(options) + std::string(api_version)};
    if (options.lock_timeout)
        ask.headers.emplace_back("IotHub-MessageLockTimeout", std::to_string(*options.lock_timeout));
    SP_TRY(return, const auto answer, client.send(ask));
    if (answer.status == 204) {
        fmt::print(stderr, "no message waits for {}\n", options.device);
        return Answered{Exit::no};
    }
    std::string etag(answer.headers.get("ETag").value_or(""));
    std::erase(etag, '"');
    if (auto settled = settle(client, options, etag); !settled)
        return std::unexpected(std::move(settled).error());
    const auto shown = describe(answer, etag);
    if (options.login.json())
        print_json(shown);
    else
        fmt::print("{}\n{}\n", std::string_view(shown.at("data").as_string()),
                   json::serialize(shown.at("properties")));
    return Answered{};
}

base::Result<Answered> feedback(const C2dMessageOptions& options) {
    const std::string path = "/messages/serviceBound/feedback";
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer,
                 client.send(
                     {.target = path + std::string(api_version) + "&wait=" + std::to_string(options.wait),
                      .limit = std::chrono::seconds(options.wait + 30)}));
    if (answer.status == 204) {
        fmt::print(stderr, "there is no feedback\n");
        return Answered{Exit::no};
    }
    SP_TRY(return, const auto records, parse_answer(answer));
    if (options.login.json()) {
        print_json(records);
    } else if (records.is_array()) {
        for (const auto& record : records.get_array()) fmt::print("{}\n", json::serialize(record));
    }
    std::string etag(answer.headers.get("ETag").value_or(""));
    std::erase(etag, '"');
    // It has been shown; before that it would be lost with this process.
    SP_TRY(return, const auto done,
                 client.send({.verb = http::Verb::delete_,
                              .target = path + path_of({etag}) + std::string(api_version)}));
    return Answered{};
}

Exit finish(const base::Result<Answered>& done) {
    if (done) return done->exit;
    return report_hub(done.error());
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<C2dMessageOptions>& options,
                   const char* name, const char* what, Work work) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    if (work != &feedback)
        command->add_option("--device-id,-d", options->device, "id of the device")->required();
    command->callback([options, work, &run] { run = [options, work] { return finish(work(*options)); }; });
    return command;
}

}  // namespace

void add_hub_c2d_message(CLI::App& hub, Run& run) {
    auto* group = hub.add_subcommand("c2d-message", "cloud-to-device messages")->require_subcommand(1);

    auto sending = std::make_shared<C2dMessageOptions>();
    auto* send_command = add_verb(*group, run, sending, "send", "send a message; prints its id", &send);
    send_command->add_option("--data,--da", sending->data, "what the device receives, at most 64 KiB");
    send_command->add_option("--data-file-path,--dfp", sending->data_file, "file with what it receives");
    send_command->add_option("--properties,--props,-p", sending->properties,
                             "application properties: \"key=value;key2=value2\"");
    send_command->add_option("--message-id,--mid", sending->message_id, "default: a random one");
    send_command->add_option("--correlation-id,--cid", sending->correlation_id, "of the message");
    send_command->add_option("--user-id,--uid", sending->user_id, "of the message");
    send_command->add_option("--content-type,--ct", sending->content_type, "of the data");
    send_command->add_option("--content-encoding,--ce", sending->content_encoding, "of the data");
    send_command->add_option("--ack", sending->ack, "the feedback to ask for: none, positive, negative, full")
        ->check(CLI::IsMember({"none", "positive", "negative", "full"}));
    send_command
        ->add_option("--expiry-time-utc,--expiry", sending->expiry,
                     "when the message ends, in milliseconds since 1970 (default: in an hour)")
        ->check(CLI::NonNegativeNumber);

    auto purging = std::make_shared<C2dMessageOptions>();
    add_verb(*group, run, purging, "purge", "remove every message that waits for a device", &purge);

    auto receiving = std::make_shared<C2dMessageOptions>();
    auto* receive_command =
        add_verb(*group, run, receiving, "receive", "the next message, as its device would get it", &receive);
    receive_command
        ->add_option("--lock-timeout,--lt", receiving->lock_timeout,
                     "seconds for which nobody else gets it (default 60)")
        ->check(CLI::Range(1, 300));
    receive_command->add_flag("--complete", receiving->complete, "take it off the queue");
    receive_command->add_flag("--reject", receiving->reject, "take it off the queue as not wanted");
    receive_command->add_flag("--abandon", receiving->abandon, "put it back");

    auto reading = std::make_shared<C2dMessageOptions>();
    add_verb(*group, run, reading, "feedback", "what became of messages that asked for it", &feedback)
        ->add_option("--wait", reading->wait, "seconds to wait for it")
        ->check(CLI::Range(0, 55));
}

}  // namespace app
