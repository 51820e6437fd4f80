// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "azure/message.hpp"
#include "mqtt/packet.hpp"

/// The twin of a session's identity over MQTT (hub.md 3.3). On the session's loop. An answer that the client
/// has not subscribed to is dropped.
namespace hub {

class MqttSession;

/// Answers with desired and reported properties. packet_id: 0 for QoS 0.
void answer_twin_get(MqttSession& session, const azure::Topic& topic, std::uint16_t packet_id);
/// Patches the reported properties, then answers with their version.
void take_reported(MqttSession& session, const azure::Topic& topic, const mqtt::Publish& publish);
/// Sends the notification, where the client has subscribed to it.
void notify_desired(MqttSession& session, std::int64_t version, const std::string& body);
/// Keeps the model id of the CONNECT in the twin.
void note_model(MqttSession& session);

}  // namespace hub
