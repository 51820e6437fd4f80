// SPDX-License-Identifier: Apache-2.0
#include "app/hub_device_calls.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/hub_device_fields.hpp"
#include "base/result.hpp"

namespace app {

namespace json = boost::json;

std::string device_target(const std::string& id) {
    return path_of({"devices", id}) + "?api-version=2021-04-12";
}

std::string quoted_etag(const std::string& etag) {
    return etag == "*" ? etag : "\"" + etag + "\"";
}

base::Status show_identity(const HubLogin& login, const http::Response& answer) {
    SP_TRY(return, const auto value, parse_answer(answer));
    if (login.json())
        print_json(value);
    else if (value.is_object())
        fmt::print("{}", describe_identity(value.get_object()));
    return {};
}

base::Result<json::object> fetch_device(const HubClient& client, const std::string& id) {
    SP_TRY(return, const auto answer, client.send({.target = device_target(id)}));
    SP_TRY(return, auto value, parse_answer(answer));
    if (!value.is_object()) return base::fail(base::Code::unavailable, "answer of the hub", "is no device");
    return std::move(value.get_object());
}

base::Result<http::Response> put_device(const HubClient& client, const json::object& document) {
    return client.send({.verb = http::Verb::put,
                        .target = device_target(text_member(document, "deviceId")),
                        .body = json::serialize(document),
                        .if_match = quoted_etag(text_member(document, "etag"))});
}

bool is_edge(const json::object& device) {
    const auto* capabilities = device.if_contains("capabilities");
    if (capabilities == nullptr || !capabilities->is_object()) return false;
    const auto* flag = capabilities->get_object().if_contains("iotEdge");
    return flag != nullptr && flag->is_bool() && flag->get_bool();
}

base::Status set_parent(const HubClient& client, const std::string& parent, json::object& device) {
    std::string scope;
    if (!parent.empty()) {
        SP_TRY(return, const auto owner, fetch_device(client, parent));
        scope = text_member(owner, "deviceScope");
        if (!is_edge(owner) || scope.empty()) {
            return base::fail(base::Code::invalid_argument, "parent " + parent, "is not edge-enabled",
                              "only an edge device can be a parent");
        }
    }
    if (!is_edge(device)) device["deviceScope"] = scope;
    device["parentScopes"] = scope.empty() ? json::array() : json::array{scope};
    return {};
}

std::string parent_scope(const json::object& device) {
    const auto* scopes = device.if_contains("parentScopes");
    if (scopes == nullptr || !scopes->is_array() || scopes->get_array().empty()) return {};
    const auto& first = scopes->get_array().front();
    return first.is_string() ? std::string(first.get_string()) : std::string();
}

std::string scope_device(const std::string& scope) {
    constexpr std::string_view start = "ms-azure-iot-edge://";
    if (!scope.starts_with(start)) return scope;
    // The generation behind the last dash has none itself.
    return scope.substr(start.size(), scope.rfind('-') - start.size());
}

}  // namespace app
