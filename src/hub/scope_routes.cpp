// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <limits>
#include <utility>

#include "base/encoding.hpp"
#include "hub/auth_chain.hpp"
#include "hub/handlers.hpp"
#include "hub/query.hpp"

namespace hub {

namespace {

constexpr std::size_t largest_scope = 1000;
constexpr std::size_t usual_page = 100;
constexpr std::string_view flat_version = "2018-08-30-preview";

std::string_view text_of(const boost::json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_string();
}

std::expected<boost::json::object, Refusal> parse_body(const Call& call) {
    boost::system::error_code failed;
    auto value = boost::json::parse(call.request.body, failed);
    if (failed || !value.is_object()) {
        return std::unexpected(
            Refusal{azure::ErrorCode::iot_hub_format_error, "the body is not a JSON object"});
    }
    return std::move(value.get_object());
}

/// The edge device that a chain acts for, after every rule of hub.md 9.4 has held.
std::expected<trust::Record, Refusal> target_of(const Call& call, std::string_view chain_text) {
    const auto members = parse_auth_chain(chain_text);
    if (!members) return std::unexpected(Refusal{azure::ErrorCode::argument_invalid, members.error().text()});
    auto chain = read_auth_chain(chain_text, *members, *call.here.reader);
    if (!chain) return std::unexpected(to_refusal(chain.error()));
    if (auto fine = check_scope_chain(*chain, call.at("d")); !fine) {
        return std::unexpected(Refusal{azure::ErrorCode::iot_hub_unauthorized_access, fine.error().text()});
    }
    return std::move(*chain->devices.front());
}

http::Response scope_page(const Call& call, const std::string& edge, const std::string& after,
                          std::size_t most, bool as_link) {
    auto result = call.here.reader->scope(edge, after, std::clamp<std::size_t>(most, 1, largest_scope));
    if (!result) return call.refuse(result.error());
    if (as_link && !result->continuation.empty()) {
        // The flat client resolves it against the hub's base, so it is a whole path (hub.md 9.2).
        result->continuation =
            "/devices/" + base::percent_encode(edge) +
            "/modules/$edgeHub/devicesAndModulesInDeviceScope?deviceCount=" + std::to_string(most) +
            "&continuationToken=" + base::percent_encode(result->continuation) +
            "&api-version=" + std::string(flat_version);
    }
    return json_with_etag(200, azure::to_json(*result), {});
}

/// One device, or one module and its device, that lies under `edge` or is `edge` itself.
http::Response scope_member(const Call& call, const trust::Record& edge, const trust::Identity& target) {
    auto device = call.here.reader->device(target.device);
    if (!device) return call.refuse(device.error());
    if (!*device) return call.refuse(azure::ErrorCode::device_not_found, target.device);
    const auto& record = (*device)->record;
    auto inside = lies_under(record, edge, *call.here.reader);
    if (!inside) return call.refuse(inside.error());
    if (record.identity != edge.identity && !*inside) {
        return call.refuse(azure::ErrorCode::iot_hub_unauthorized_access,
                           target.device + " is not in the scope of " + edge.identity.device);
    }
    azure::ScopeResult result;
    result.devices.push_back(**std::move(device));
    if (target.is_module()) {
        auto module = call.here.reader->module(target);
        if (!module) return call.refuse(module.error());
        if (!*module) return call.refuse(azure::ErrorCode::module_not_found, target.text());
        result.modules.push_back(**std::move(module));
    }
    return json_with_etag(200, azure::to_json(result), {});
}

}  // namespace

Answer get_scope(Call& call) {
    const auto most = query_number(call.request.target, "deviceCount", 1, std::numeric_limits<int>::max());
    if (!most) co_return call.refuse(most.error());
    const auto after = call.request.target.value("continuationToken").value_or(std::string());
    co_return scope_page(call, call.at("d"), after, static_cast<std::size_t>(most->value_or(usual_page)),
                         true);
}

Answer get_scope_member(Call& call) {
    const trust::Identity target{call.request.target.value("targetDeviceId").value_or(std::string()),
                                 call.request.target.value("targetModuleId").value_or(std::string())};
    if (target.device.empty())
        co_return call.refuse(azure::ErrorCode::argument_null, "targetDeviceId is missing");
    const auto edge = target_of(call, call.at("d"));
    if (!edge) co_return call.refuse(edge.error());
    co_return scope_member(call, *edge, target);
}

Answer post_scope(Call& call) {
    const auto body = parse_body(call);
    if (!body) co_return call.refuse(body.error());
    const auto edge = target_of(call, text_of(*body, "authChain"));
    if (!edge) co_return call.refuse(edge.error());
    std::size_t most = usual_page;
    if (const auto* size = body->if_contains("pageSize"); size != nullptr && !size->is_null()) {
        boost::system::error_code failed;
        most = size->to_number<std::size_t>(failed);
        if (failed || most == 0) {
            co_return call.refuse(azure::ErrorCode::argument_invalid, "pageSize is not a positive number");
        }
    }
    co_return scope_page(call, edge->identity.device, std::string(text_of(*body, "continuationLink")), most,
                         false);
}

Answer post_scope_member(Call& call) {
    const auto body = parse_body(call);
    if (!body) co_return call.refuse(body.error());
    const trust::Identity target{std::string(text_of(*body, "targetDeviceId")),
                                 std::string(text_of(*body, "targetModuleId"))};
    if (target.device.empty())
        co_return call.refuse(azure::ErrorCode::argument_null, "targetDeviceId is missing");
    const auto edge = target_of(call, text_of(*body, "authChain"));
    if (!edge) co_return call.refuse(edge.error());
    co_return scope_member(call, *edge, target);
}

}  // namespace hub
