// SPDX-License-Identifier: Apache-2.0
#include "edge/local_client.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/secret.hpp"

namespace edge {
namespace {

base::Error refused(const LocalService& service, const http::Response& response) {
    std::string said = fmt::format("answered {}", response.status);
    if (const auto body = parse_json(response.body, "answer"))
        if (const auto message = text_member(*body, "message")) said += ": " + *message;
    base::Code code = base::Code::internal;
    switch (response.status) {
        case 400:
            // Keys and certificates have no 404 for an id that does not exist (edge-runtime.md 0.3).
            code =
                said.ends_with("caused by: not found") ? base::Code::not_found : base::Code::invalid_argument;
            break;
        case 401:
            code = base::Code::unauthenticated;
            break;
        case 403:
            code = base::Code::permission_denied;
            break;
        case 404:
            code = base::Code::not_found;
            break;
        case 503:
            code = base::Code::rate_limited;
            break;
        default:
            break;
    }
    return {code, "the " + service.name, said, {}};
}

net::Task<base::Result<http::Response>> send(LocalService service, http::Request request,
                                             std::chrono::milliseconds limit) {
    if (service.channel) {
        auto answered = co_await service.channel->ask(std::move(request), limit, *service.clock);
        co_return answered;
    }
    http::Endpoint endpoint = http::UnixEndpoint{service.socket};
    auto answered = co_await http::request(std::move(endpoint), std::move(request), limit, *service.clock);
    co_return answered;
}

}  // namespace

LocalService local_service(std::string name, std::string socket, std::string api_version,
                           const base::Clock& clock, std::size_t kept) {
    LocalService service{std::move(name), std::move(socket), std::move(api_version), &clock};
    if (kept > 0) service.channel = std::make_shared<LocalChannel>(service.socket, kept);
    return service;
}

std::string path_segment(std::string_view id) {
    return base::percent_encode(id);
}

http::Request local_request(const LocalService& service, http::Verb verb, const std::string& target,
                            const std::optional<json::value>& body) {
    http::Request request;
    request.verb = verb;
    request.raw_target = fmt::format("{}{}api-version={}", target,
                                     target.find('?') == std::string::npos ? '?' : '&', service.api_version);
    if (body) {
        request.body = json::serialize(*body);
        request.headers.set("Content-Type", "application/json");
    }
    return request;
}

base::Result<json::value> read_local_answer(const LocalService& service,
                                            base::Result<http::Response> answered) {
    if (!answered) {
        auto why = std::move(answered).error();
        return base::fail(why.code, "the " + service.name, "cannot be asked: " + why.text(),
                          "see whether sallyport edge run is up");
    }
    if (answered->status >= 300) return std::unexpected(refused(service, *answered));
    if (answered->body.empty()) return json::value(nullptr);
    auto parsed = parse_json(answered->body, "answer of the " + service.name);
    // It may be a key.
    base::wipe(answered->body.data(), answered->body.size());
    return parsed;
}

net::Task<base::Result<json::value>> call_local(LocalService service, http::Verb verb, std::string target,
                                                std::optional<json::value> body,
                                                std::chrono::milliseconds limit) {
    auto request = local_request(service, verb, target, body);
    auto answered = co_await send(service, std::move(request), limit);
    co_return read_local_answer(service, std::move(answered));
}

}  // namespace edge
