// SPDX-License-Identifier: Apache-2.0
#include "app/hub_client.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "azure/json_text.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "net/loop.hpp"
#include "trust/sas_token.hpp"

namespace app {

namespace {

constexpr std::chrono::hours token_lifetime{1};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

base::Result<pki::TrustBundle> load_trust(const HubLogin& login) {
    const auto file = ca_file_of(login);
    if (file.empty()) return pki::TrustBundle::system();
    SP_TRY(return, const auto pem, base::read_file(file, "CA file"));
    return pki::TrustBundle::from_pem(pem, "CA file " + file);
}

base::Code code_of(int status) {
    switch (status) {
        case 401:
            return base::Code::unauthenticated;
        case 403:
            return base::Code::permission_denied;
        case 404:
            return base::Code::not_found;
        case 409:
            return base::Code::already_exists;
        case 412:
            return base::Code::precondition_failed;
        case 413:
            return base::Code::too_large;
        case 429:
            return base::Code::rate_limited;
        default:
            return status >= 500 ? base::Code::unavailable : base::Code::invalid_argument;
    }
}

/// What a failed method is told as is JSON within the text (hub.md 5.8).
std::string innermost(std::string_view text) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(text, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* message = object == nullptr ? nullptr : object->if_contains("message");
    return std::string(message != nullptr && message->is_string() ? message->get_string() : text);
}

/// The service's words: `Message`, or `message` of the resource manager's form.
std::string message_of(const http::Response& response) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(response.body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    if (object != nullptr) {
        for (const auto* name : {"Message", "message"}) {
            const auto* text = object->if_contains(name);
            if (text != nullptr && text->is_string()) return innermost(text->get_string());
        }
    }
    return std::string(http::reason_phrase(response.status));
}

std::string fix_of(int status) {
    if (status == 401)
        return "is the connection string the hub's, and its policy strong enough? "
               "(sallyport hub connection-string show)";
    if (status == 412) return "somebody else changed it meanwhile; look at it again and repeat";
    return {};
}

void indent(std::string& out, std::size_t depth) {
    out.append(depth * 2, ' ');
}

void pretty(const boost::json::value& value, std::size_t depth, std::string& out) {
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
        out += "{\n";
        std::size_t left = object->size();
        for (const auto& [name, member] : *object) {
            indent(out, depth + 1);
            out += boost::json::serialize(name) + ": ";
            pretty(member, depth + 1, out);
            out += --left > 0 ? ",\n" : "\n";
        }
        indent(out, depth);
        out += '}';
    } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
        out += "[\n";
        std::size_t left = array->size();
        for (const auto& element : *array) {
            indent(out, depth + 1);
            pretty(element, depth + 1, out);
            out += --left > 0 ? ",\n" : "\n";
        }
        indent(out, depth);
        out += ']';
    } else {
        out += azure::json_text(value);
    }
}

}  // namespace

std::string ca_file_of(const HubLogin& login) {
    return login.ca_file.empty() ? environment("IOTHUB_CA_FILE") : login.ca_file;
}

void add_login_options(CLI::App& command, HubLogin& login, const std::string& people) {
    login.output = people;
    command.add_option("--login,-l", login.login,
                       "connection string of a service policy (default: IOTHUB_CONNECTION_STRING)");
    command.add_option(
        "--ca", login.ca_file,
        "PEM file with the CA of the hub's certificate (default: IOTHUB_CA_FILE, else the OS trust store)");
    command.add_option("--output,-o", login.output, people + " or json")
        ->check(CLI::IsMember({people, std::string("json")}));
    command.add_option("--hub-name", login.hub_name,
                       "accepted as az has it; the connection string says which hub");
    command.add_option("--resource-group,-g", login.resource_group, "accepted as az has it");
}

void add_truth_option(CLI::App& command, const std::string& names, std::function<void(bool)> set,
                      const std::string& what) {
    command
        .add_option_function<std::string>(
            names, [set = std::move(set)](const std::string& text) { set(text != "false"); }, what)
        ->expected(0, 1)
        ->check(CLI::IsMember({"", "{}", "true", "false"})
                    .description("true or false; true where nothing follows"));
}

base::Result<std::string> login_text(const HubLogin& login) {
    auto text = login.login.empty() ? environment("IOTHUB_CONNECTION_STRING") : login.login;
    if (text.empty()) {
        return base::fail(
            base::Code::usage, "connection string", "is missing",
            "give --login, or set IOTHUB_CONNECTION_STRING to what `sallyport hub connection-string show` "
            "prints");
    }
    return text;
}

base::Result<HubClient> HubClient::make(const HubLogin& login) {
    SP_TRY(return, const auto text, login_text(login));
    auto parsed = azure::parse_connection_string(text);
    if (!parsed) {
        auto error = std::move(parsed).error();
        error.code = base::Code::usage;
        return std::unexpected(std::move(error));
    }
    HubClient client;
    client.login_ = *std::move(parsed);
    if (client.login_.policy.empty()) {
        return base::fail(base::Code::usage, "connection string", "names no policy",
                          "use one with SharedAccessKeyName=, not a device's");
    }
    SP_TRY(return, auto trust, load_trust(login));
    net::ClientTls::Options options;
    options.trust = std::make_shared<const pki::TrustBundle>(std::move(trust));
    SP_TRY(return, client.tls_, net::ClientTls::make(std::move(options)));
    client.target_ = {client.login_.host, client.login_.port, client.login_.host};
    return client;
}

base::Result<http::Response> HubClient::send(const Ask& ask) const {
    const auto& clock = base::system_clock();
    SP_TRY(return, auto token,
                 trust::make_sas_token(login_.host, login_.key, clock.now() + token_lifetime, login_.policy));
    http::Request request;
    request.verb = ask.verb;
    request.raw_target = ask.target;
    request.headers.add("Authorization", std::move(token));
    request.headers.add("User-Agent", "sallyport/" SALLYPORT_VERSION);
    if (ask.if_match) request.headers.add("If-Match", *ask.if_match);
    for (const auto& [name, value] : ask.headers) request.headers.add(name, value);
    if (!ask.body.empty() && !request.headers.get("Content-Type"))
        request.headers.add("Content-Type", "application/json; charset=utf-8");
    request.body = ask.body;
    http::Endpoint endpoint = http::TlsEndpoint{target_, tls_};
    auto response = net::run_task_for(
        http::request(std::move(endpoint), std::move(request), std::chrono::milliseconds(ask.limit), clock));
    if (!response) {
        auto error = std::move(response).error();
        // Whom we could not reach or trust is no answer of the hub.
        if (error.code == base::Code::unauthenticated) error.code = base::Code::unavailable;
        if (error.fix.empty())
            error.fix = "is the hub running, and does --ca name the CA of its certificate?";
        return std::unexpected(std::move(error));
    }
    if (response->status >= 300) {
        return base::fail(code_of(response->status), "hub " + login_.host,
                          fmt::format("answers {} {}", response->status, message_of(*response)),
                          fix_of(response->status));
    }
    return response;
}

Exit report_hub(const base::Error& error) {
    switch (error.code) {
        case base::Code::unavailable:
        case base::Code::timeout:
        case base::Code::closed:
        case base::Code::io:
        case base::Code::rate_limited:
        case base::Code::internal:
        case base::Code::cancelled:
            return report(error, Exit::unknown);
        default:
            return report(error, Exit::no);
    }
}

std::string path_of(std::initializer_list<std::string_view> segments) {
    std::string path;
    for (const auto segment : segments) path += "/" + base::percent_encode(segment);
    return path;
}

void print_json(const boost::json::value& value) {
    std::string out;
    pretty(value, 0, out);
    fmt::print("{}\n", out);
}

base::Result<boost::json::value> parse_answer(const http::Response& response) {
    auto value = azure::parse_json(response.body);
    if (!value) return base::fail(base::Code::unavailable, "answer of the hub", "is not JSON");
    return value;
}

}  // namespace app
