// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "trust/identity.hpp"

namespace azure {

using Properties = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// A device-to-cloud message as hub and gateway keep it: opaque body, properties in order.
struct Message {
    base::Bytes body;
    Properties system;       ///< "message-id", "content-type", ...: the names of hub.md 3.1
    Properties application;  ///< nullopt: a key without a value
};

/// What counts against the limit of a telemetry message (hub.md 3.1): body, property names and values,
/// decoded.
std::size_t message_size(const Message& message);
inline constexpr std::size_t largest_message = 256 * 1024;

/// Where a PUBLISH of a client goes.
enum class TopicKind { telemetry, twin_get, twin_reported, method_answer, unknown };
struct Topic {
    TopicKind kind = TopicKind::unknown;
    trust::Identity identity;  ///< telemetry: from the topic; must equal the authenticated one
    std::string bag;           ///< telemetry: the property bag, still encoded, without surrounding slashes
    std::string request;       ///< twin, method: the value of $rid as it stands
    std::int64_t status = 0;   ///< method_answer: what the method returned
};
/// Takes a topic apart: "devices/{d}[/modules/{m}]/messages/events[/bag][/]" (hub.md 3.1, ids are raw),
/// "$iothub/twin/GET/?$rid={rid}", "$iothub/twin/PATCH/properties/reported/?$rid={rid}" (3.3) or
/// "$iothub/methods/res/{status}/?$rid={rid}" (3.4).
Topic parse_topic(std::string_view topic);

/// Decodes a bag "a=1&%24.mid=x" into system and application properties. Fails with `malformed` for a bad
/// escape.
base::Status read_property_bag(std::string_view bag, Message& into);
/// The bag of a message in Azure's order and encoding, for our own clients and the gateway upstream.
std::string make_property_bag(const Message& message);
/// "devices/TempSensor/messages/events/" + bag.
std::string telemetry_topic(const trust::Identity& identity, const Message& message);

/// The event as `az iot hub monitor-events` shows it, without a line end (issue 4, interfaces.md 5):
/// {"event":{"origin","module","payload"[,"properties":{"system","annotations","application"}]}[,"offset"]}.
/// payload: a JSON value when the body is JSON, else text, else base64.
struct Event {
    trust::Identity origin;
    Message message;
    Properties annotations;  ///< iothub-connection-device-id, iothub-enqueuedtime, ...
};
enum class ShowProperties { none, all };
std::string event_json(const Event& event, ShowProperties show, std::optional<std::uint64_t> offset);

/// The bytes of an Event in a log record, and back: versioned, length-prefixed; `malformed` for anything
/// else.
base::Bytes encode_event(const Event& event);
base::Result<Event> decode_event(std::span<const std::byte> bytes);

}  // namespace azure
