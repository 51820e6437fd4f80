// SPDX-License-Identifier: Apache-2.0
#include "edge/local_client.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/result.hpp"
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
        default:
            break;
    }
    return {code, "the " + service.name, said, {}};
}

}  // namespace

std::string path_segment(std::string_view id) {
    return base::percent_encode(id);
}

net::Task<base::Result<json::value>> call_local(LocalService service, http::Verb verb, std::string target,
                                                std::optional<json::value> body,
                                                std::chrono::milliseconds limit) {
    http::Request request;
    request.verb = verb;
    request.raw_target = fmt::format("{}{}api-version={}", target,
                                     target.find('?') == std::string::npos ? '?' : '&', service.api_version);
    if (body) {
        request.body = json::serialize(*body);
        request.headers.set("Content-Type", "application/json");
    }
    http::Endpoint endpoint = http::UnixEndpoint{service.socket};
    auto answered = co_await http::request(std::move(endpoint), std::move(request), limit, *service.clock);
    if (!answered) {
        auto why = std::move(answered).error();
        co_return base::fail(why.code, "the " + service.name, "cannot be asked: " + why.text(),
                             "see whether sallyport edge run is up");
    }
    if (answered->status >= 300) co_return std::unexpected(refused(service, *answered));
    if (answered->body.empty()) co_return json::value(nullptr);
    auto parsed = parse_json(answered->body, "answer of the " + service.name);
    // It may be a key.
    base::wipe(answered->body.data(), answered->body.size());
    co_return parsed;
}

}  // namespace edge
