// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "mqtt/limits.hpp"

/// MQTT 3.1.1 control packets as values. Pure: bytes in, values out, and back.
namespace mqtt {

/// What a length of two octets can tell (section 1.5.3).
inline constexpr std::size_t longest_text = 65'535;

enum class Qos : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

struct Will {
    std::string topic;
    base::Bytes payload;
    Qos qos = Qos::at_most_once;
    bool retain = false;
};

struct Connect {
    std::string protocol = "MQTT";
    std::uint8_t level = 4;  ///< anything else is decoded as far as this, so that it can be refused by name
    std::string client_id;
    bool clean_session = true;
    std::uint16_t keep_alive = 60;  ///< seconds; 0: none
    std::optional<Will> will;
    std::optional<std::string> user_name;
    std::optional<std::string> password;
};
enum class ConnackCode : std::uint8_t {
    accepted = 0,
    unacceptable_protocol = 1,
    identifier_rejected = 2,
    server_unavailable = 3,
    bad_user_name_or_password = 4,
    not_authorized = 5
};
struct Connack {
    bool session_present = false;
    ConnackCode code = ConnackCode::accepted;
    /// 5: written as MQTT 5 spells "unsupported protocol version" (hub.md 2.2). Never comes out of `decode`.
    std::uint8_t level = 4;
};
struct Publish {
    std::string topic;
    base::Bytes payload;
    Qos qos = Qos::at_most_once;
    bool retain = false;
    bool duplicate = false;
    std::uint16_t packet_id = 0;  ///< 0 exactly for QoS 0
};
struct Puback {
    std::uint16_t packet_id;
};
/// PUBREC, PUBREL and PUBCOMP: decoded so that QoS 2 can be refused by name.
struct QosTwoStep {
    std::uint8_t type;
    std::uint16_t packet_id;
};
struct Subscription {
    std::string filter;
    Qos qos = Qos::at_most_once;
};
struct Subscribe {
    std::uint16_t packet_id;
    std::vector<Subscription> subscriptions;
};
struct Suback {
    std::uint16_t packet_id;
    std::vector<std::uint8_t> codes;  ///< granted QoS, or 0x80
};
struct Unsubscribe {
    std::uint16_t packet_id;
    std::vector<std::string> filters;
};
struct Unsuback {
    std::uint16_t packet_id;
};
struct Pingreq {};
struct Pingresp {};
struct Disconnect {};

using Packet = std::variant<Connect, Connack, Publish, Puback, QosTwoStep, Subscribe, Suback, Unsubscribe,
                            Unsuback, Pingreq, Pingresp, Disconnect>;

/// "PUBLISH", for logs.
std::string_view name(const Packet& packet);

struct Decoded {
    Packet packet;
    std::size_t consumed;  ///< bytes of the input that it took
};

/// Reads one packet from the start of `bytes`. nullopt: more bytes are needed. An error names the packet, the
/// field and the section of the standard that was violated; the connection is then closed (MQTT 3.1.1
/// section 4.8).
base::Result<std::optional<Decoded>> decode(std::span<const std::byte> bytes);

/// How many bytes the packet at the start of `bytes` has in all, as soon as its fixed header is complete;
/// lets a reader allocate once. nullopt: not yet known. Fails with `too_large` over `limit`
/// (limits::first_packet before CONNECT was accepted).
base::Result<std::optional<std::size_t>> packet_size(std::span<const std::byte> bytes,
                                                     std::size_t limit = limits::packet);

/// The packet on the wire. The packet must be one that the standard allows (asserted).
base::Bytes encode(const Packet& packet);

/// Topic names and filters by section 4.7 (no wildcard in a name, `#` last, no NUL, 1 to 65,535 bytes of
/// UTF-8).
bool is_valid_topic(std::string_view topic);
bool is_valid_filter(std::string_view filter);
bool matches(std::string_view filter, std::string_view topic);

}  // namespace mqtt
