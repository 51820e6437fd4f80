// SPDX-License-Identifier: Apache-2.0
#include "hub/websocket.hpp"

#include <memory>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "http/websocket.hpp"
#include "hub/answer.hpp"
#include "hub/explanations.hpp"
#include "hub/mqtt_session.hpp"
#include "hub/tracking.hpp"

namespace hub {

namespace {

bool is_websocket_target(const http::Target& target) {
    return target.segments.size() == 2 && base::equal_ignoring_case(target.segments[0], "$iothub") &&
           base::equal_ignoring_case(target.segments[1], "websocket");
}

}  // namespace

std::optional<http::Switch> open_websocket(const Services& services, const http::Request& request,
                                           const net::Peer& peer) {
    if (!is_websocket_target(request.target)) return std::nullopt;
    auto accepted = http::accept_websocket(request, "mqtt");
    if (!accepted) {
        const auto& refusal = accepted.error();
        const auto tracking = make_tracking_id();
        base::log::info(base::events::request_refused, {{"peer", peer.address},
                                                        {"target", request.raw_target},
                                                        {"status", std::to_string(refusal.status)},
                                                        {"reason", refusal.reason},
                                                        {"tracking", tracking}});
        auto response = refuse_status(refusal.status, refusal.reason, tracking, services.clock.now());
        Explanation explanation;
        explanation.tracking = tracking;
        explanation.when = services.clock.now();
        explanation.protocol = "https";
        explanation.address = peer.address;
        explanation.request = std::string(http::to_string(request.verb)) + " " +
                              request.raw_target.substr(0, request.raw_target.find('?'));
        explanation.answer = std::to_string(refusal.status) + " " +
                             std::string(response.headers.get("iothub-errorcode").value_or(""));
        explanation.reason = refusal.reason;
        services.explanations.add(std::move(explanation));
        if (refusal.status == 405) response.headers.set("Allow", "GET");
        if (refusal.status == 426) response.headers.set("Sec-WebSocket-Version", "13");
        return http::Switch{std::move(response), {}};
    }
    return http::Switch{*std::move(accepted), [&services](net::Stream stream, base::Bytes early) {
                            return MqttSession::serve(services, std::move(stream),
                                                      std::make_unique<http::WebSocketFraming>(),
                                                      std::move(early));
                        }};
}

}  // namespace hub
