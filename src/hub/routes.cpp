// SPDX-License-Identifier: Apache-2.0
#include "hub/routes.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/arm.hpp"
#include "hub/handlers.hpp"

namespace hub {

namespace {

using http::Verb;

constexpr std::string_view arm =
    "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Devices/IotHubs/{hub}/certificates";
constexpr std::string_view arm_name =
    "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Devices/IotHubs/{hub}/certificates/{name}";

constexpr std::string_view arm_code =
    "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Devices/IotHubs/{hub}/certificates/{name}/"
    "generateVerificationCode";
constexpr std::string_view arm_verify =
    "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Devices/IotHubs/{hub}/certificates/{name}/"
    "verify";

constexpr std::array table{
    Route{Verb::get, "/devices", Needs::registry_read, &list_devices},
    Route{Verb::get, "/devices/", Needs::registry_read, &list_devices},
    Route{Verb::get, "/devices/{d}", Needs::registry_read, &get_device},
    Route{Verb::put, "/devices/{d}", Needs::registry_write, &put_device},
    Route{Verb::delete_, "/devices/{d}", Needs::registry_write, &delete_device},

    Route{Verb::get, "/devices/{d}/modules", Needs::own_modules_read, &list_modules},
    Route{Verb::get, "/devices/{d}/modules/{id}", Needs::own_modules_read, &get_module},
    Route{Verb::put, "/devices/{d}/modules/{id}", Needs::own_modules_write, &put_module},
    Route{Verb::delete_, "/devices/{d}/modules/{id}", Needs::own_modules_write, &delete_module},

    Route{Verb::get, "/devices/{d}/modules/$edgeHub/devicesAndModulesInDeviceScope", Needs::edge_hub,
          &get_scope},
    Route{Verb::get, "/devices/{d}/modules/$edgeHub/deviceAndModuleInDeviceScope", Needs::edge_hub,
          &get_scope_member},
    Route{Verb::post, "/devices/{d}/modules/$edgeHub/devicesAndModulesInTargetDeviceScope", Needs::edge_hub,
          &post_scope},
    Route{Verb::post, "/devices/{d}/modules/$edgeHub/getDeviceAndModuleOnBehalfOf", Needs::edge_hub,
          &post_scope_member},
    Route{Verb::get, "/devices/{d}/modules/$edgeHub/caCertificates", Needs::edge_hub, &get_anchors},
    Route{Verb::get, "/devices/{d}/modules/$edgeHub/scopeChanges", Needs::edge_hub, &get_scope_changes},

    Route{Verb::get, arm, Needs::owner, &list_certificates},
    Route{Verb::get, arm_name, Needs::owner, &get_certificate},
    Route{Verb::put, arm_name, Needs::owner, &put_certificate},
    Route{Verb::delete_, arm_name, Needs::owner, &delete_certificate},
    Route{Verb::post, arm_code, Needs::owner, &post_verification_code},
    Route{Verb::post, arm_verify, Needs::owner, &post_verify},

    Route{Verb::get, "/messages/events", Needs::service_connect, &get_events},
    Route{Verb::post, "/devices/{d}/messages/events", Needs::device, &post_event},
    Route{Verb::post, "/devices/{d}/modules/{m}/messages/events", Needs::device, &post_event},

    Route{Verb::post, "/devices/{d}/messages/devicebound", Needs::service_connect, &send_to_device},
    Route{Verb::get, "/devices/{d}/messages/devicebound", Needs::device, &receive_devicebound},
    Route{Verb::delete_, "/devices/{d}/messages/devicebound/{lock}", Needs::device, &settle_devicebound},
    Route{Verb::post, "/devices/{d}/messages/devicebound/{lock}/abandon", Needs::device,
          &abandon_devicebound},
    Route{Verb::delete_, "/devices/{d}/commands", Needs::service_connect, &purge_devicebound},
    Route{Verb::get, "/messages/serviceBound/feedback", Needs::service_connect, &get_feedback},
    Route{Verb::delete_, "/messages/serviceBound/feedback/{lock}", Needs::service_connect,
          &complete_feedback},
    Route{Verb::post, "/messages/serviceBound/feedback/{lock}/abandon", Needs::service_connect,
          &abandon_feedback},
};

using Captured = std::map<std::string, std::string, std::less<>>;

std::optional<Captured> match(std::string_view pattern, const std::vector<std::string>& segments) {
    const auto words = base::split(pattern.substr(1), '/');
    if (words.size() != segments.size()) return std::nullopt;
    Captured captured;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto word = words[i];
        if (word.starts_with('{')) {
            if (segments[i].empty()) return std::nullopt;
            captured.emplace(word.substr(1, word.size() - 2), segments[i]);
        } else if (!base::equal_ignoring_case(word, segments[i])) {
            return std::nullopt;
        }
    }
    return captured;
}

struct Found {
    const Route* route = nullptr;
    Captured captured;
    std::set<std::string> verbs;  ///< those that the path knows
};

Found find(const http::Request& request) {
    Found found;
    for (const auto& route : table) {
        auto captured = match(route.path, request.target.segments);
        if (!captured) continue;
        found.verbs.emplace(http::to_string(route.verb));
        if (route.verb != request.verb || found.route != nullptr) continue;
        found.route = &route;
        found.captured = *std::move(captured);
    }
    return found;
}

http::Response no_route(const Found& found, base::Instant now) {
    if (found.verbs.empty()) {
        return refuse(Refusal{azure::ErrorCode::generic_not_found, "there is no such resource"}, now);
    }
    std::string allowed;
    for (const auto& verb : found.verbs) allowed += (allowed.empty() ? "" : ", ") + verb;
    auto response =
        refuse(Refusal{azure::ErrorCode::generic_method_not_allowed, "allowed are " + allowed}, now);
    response.headers.set("Allow", allowed);
    return response;
}

void log_answer(const Call& call, const http::Response& response) {
    if (response.status < 400) return;
    base::log::info(base::events::request_answered,
                    {{"address", call.peer.address},
                     {"method", std::string(http::to_string(call.request.verb))},
                     {"target", call.request.raw_target},
                     {"caller", call.caller.text()},
                     {"status", std::to_string(response.status)},
                     {"error", std::string(response.headers.get("iothub-errorcode").value_or(""))},
                     {"tracking", std::string(response.headers.get("x-ms-request-id").value_or(""))}});
}

}  // namespace

std::span<const Route> routes() {
    return table;
}

net::Task<http::Response> dispatch(const Services& services, http::Request request, const net::Peer& peer) {
    auto found = find(request);
    Call call{
        services, services.here(), peer, std::move(request), services.clock.now(), std::move(found.captured),
        {}};
    http::Response response;
    if (found.route == nullptr) {
        response = no_route(found, call.now);
    } else if (auto caller = authorize(call, found.route->needs); !caller) {
        response = found.route->needs == Needs::owner ? arm::refuse(call, caller.error())
                                                      : call.refuse(caller.error());
    } else {
        call.caller = *std::move(caller);
        response = co_await found.route->handle(call);
    }
    log_answer(call, response);
    co_return response;
}

}  // namespace hub
