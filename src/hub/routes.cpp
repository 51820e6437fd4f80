// SPDX-License-Identifier: Apache-2.0
#include "hub/routes.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/arm.hpp"
#include "hub/handlers.hpp"
#include "hub/tracking.hpp"

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
    Route{Verb::post, "/devices", Needs::registry_write, &post_devices},
    Route{Verb::get, "/devices/{d}", Needs::registry_read, &get_device},
    Route{Verb::put, "/devices/{d}", Needs::registry_write, &put_device},
    Route{Verb::delete_, "/devices/{d}", Needs::registry_write, &delete_device},

    Route{Verb::post, "/devices/query", Needs::service_connect, &post_query},

    Route{Verb::get, "/configurations", Needs::registry_read, &list_configurations},
    Route{Verb::post, "/configurations/testQueries", Needs::registry_read, &post_test_queries},
    Route{Verb::post, "/devices/{d}/applyConfigurationContent", Needs::registry_write,
          &post_configuration_content},
    Route{Verb::get, "/configurations/{id}", Needs::registry_read, &get_configuration},
    Route{Verb::put, "/configurations/{id}", Needs::registry_write, &put_configuration},
    Route{Verb::delete_, "/configurations/{id}", Needs::registry_write, &delete_configuration},

    Route{Verb::get, "/statistics/devices", Needs::registry_read, &get_device_statistics},
    Route{Verb::get, "/statistics/service", Needs::registry_read, &get_service_statistics},

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

    Route{Verb::get, "/twins/{d}", Needs::service_connect, &get_twin},
    Route{Verb::patch, "/twins/{d}", Needs::service_connect, &patch_twin},
    Route{Verb::put, "/twins/{d}", Needs::service_connect, &put_twin},
    Route{Verb::get, "/twins/{d}/modules/{m}", Needs::service_connect, &get_twin},
    Route{Verb::patch, "/twins/{d}/modules/{m}", Needs::service_connect, &patch_twin},
    Route{Verb::put, "/twins/{d}/modules/{m}", Needs::service_connect, &put_twin},

    Route{Verb::get, arm, Needs::owner, &list_certificates},
    Route{Verb::get, arm_name, Needs::owner, &get_certificate},
    Route{Verb::put, arm_name, Needs::owner, &put_certificate},
    Route{Verb::delete_, arm_name, Needs::owner, &delete_certificate},
    Route{Verb::post, arm_code, Needs::owner, &post_verification_code},
    Route{Verb::post, arm_verify, Needs::owner, &post_verify},

    Route{Verb::post, "/twins/{d}/methods", Needs::service_connect, &post_method},
    Route{Verb::post, "/twins/{d}/modules/{m}/methods", Needs::service_connect, &post_method},
    Route{Verb::get, "/explain/{tracking}", Needs::registry_read, &get_explanation},
    Route{Verb::get, "/explain", Needs::registry_read, &list_explanations},

    Route{Verb::get, "/messages/events", Needs::service_connect, &get_events},
    Route{Verb::get, "/messages/events/consumers", Needs::service_connect, &list_consumers},
    Route{Verb::post, "/messages/events/consumers/{name}", Needs::service_connect, &put_consumer},
    Route{Verb::delete_, "/messages/events/consumers/{name}", Needs::service_connect, &delete_consumer},
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

http::Response no_route(const Call& call, const Found& found) {
    if (found.verbs.empty())
        return call.refuse(azure::ErrorCode::generic_not_found, "there is no such resource");
    std::string allowed;
    for (const auto& verb : found.verbs) allowed += (allowed.empty() ? "" : ", ") + verb;
    auto response = call.refuse(azure::ErrorCode::generic_method_not_allowed, "allowed are " + allowed);
    response.headers.set("Allow", allowed);
    return response;
}

http::Response throttled(const Call& call, Operation operation, std::chrono::milliseconds wait) {
    auto response = call.refuse(azure::ErrorCode::throttling,
                                "the rate of " + std::string(to_string(operation)) + " is exceeded");
    response.headers.set("Retry-After",
                         std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
    return response;
}

/// Logs a refusal, and keeps what explains it under its tracking id.
void tell(const Call& call, const http::Response& response, const Evidence* evidence) {
    const std::string error(response.headers.get("iothub-errorcode").value_or(""));
    const std::string verb(http::to_string(call.request.verb));
    base::log::info(base::events::request_answered, {{"address", call.peer.address},
                                                     {"method", verb},
                                                     {"target", call.request.raw_target},
                                                     {"caller", call.caller.text()},
                                                     {"status", std::to_string(response.status)},
                                                     {"error", error},
                                                     {"tracking", call.tracking}});
    Explanation explanation;
    explanation.tracking = call.tracking;
    explanation.when = call.now;
    explanation.protocol = "https";
    explanation.address = call.peer.address;
    if (evidence != nullptr) {
        explanation.identity = evidence->identity;
        explanation.verdict = evidence->verdict;
    } else if (call.caller.sender) {
        explanation.identity = call.caller.sender->identity;
    }
    // A device that somebody else asks about is the device to look under.
    if (explanation.identity.device.empty() && call.captured.contains("d"))
        explanation.identity.device = call.at("d");
    explanation.caller = evidence != nullptr ? std::string() : call.caller.text();
    explanation.request = verb + " " + call.request.raw_target.substr(0, call.request.raw_target.find('?'));
    explanation.answer = std::to_string(response.status) + " " + error;
    explanation.reason = azure::error_text(response.body);
    call.services.explanations.add(std::move(explanation));
}

}  // namespace

std::span<const Route> routes() {
    return table;
}

net::Task<http::Response> dispatch(const Services& services, http::Request request, const net::Peer& peer) {
    auto found = find(request);
    Call call{services,
              services.here(),
              peer,
              std::move(request),
              services.clock.now(),
              std::move(found.captured),
              {},
              make_tracking_id()};
    http::Response response;
    std::shared_ptr<const Evidence> evidence;
    if (found.route == nullptr) {
        response = no_route(call, found);
    } else if (auto caller = authorize(call, found.route->needs); !caller) {
        response = found.route->needs == Needs::owner ? arm::refuse(call, caller.error())
                                                      : call.refuse(caller.error());
        evidence = caller.error().evidence;
    } else {
        call.caller = *std::move(caller);
        const auto operation = operation_of(found.route->verb, found.route->path);
        const auto wait = services.throttle.take(operation, std::chrono::steady_clock::now());
        if (wait)
            response = throttled(call, operation, *wait);
        else
            response = co_await found.route->handle(call);
    }
    if (response.status >= 400) tell(call, response, evidence.get());
    co_return response;
}

}  // namespace hub
