// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/server.hpp"
#include "hub/services.hpp"

namespace hub {

/// MQTT over WebSocket (hub.md 1): what a request to `/$iothub/websocket` comes to; nullopt for any other
/// target. services: outlives the connection.
std::optional<http::Switch> open_websocket(const Services& services, const http::Request& request,
                                           const net::Peer& peer);

}  // namespace hub
