// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/result.hpp"
#include "mqtt/limits.hpp"
#include "mqtt/packet.hpp"
#include "mqtt/reader.hpp"

namespace mqtt {
namespace {

constexpr std::array<std::string_view, 16> names = {
    "packet type 0", "CONNECT",  "CONNACK",    "PUBLISH",       "PUBACK",      "PUBREC",
    "PUBREL",        "PUBCOMP",  "SUBSCRIBE",  "SUBACK",        "UNSUBSCRIBE", "UNSUBACK",
    "PINGREQ",       "PINGRESP", "DISCONNECT", "packet type 15"};

constexpr unsigned connect_type = 1, connack_type = 2, publish_type = 3, puback_type = 4, pubrel_type = 6,
                   subscribe_type = 8, suback_type = 9, unsubscribe_type = 10, unsuback_type = 11,
                   pingreq_type = 12, pingresp_type = 13, disconnect_type = 14;

base::Bytes copy(std::span<const std::byte> bytes) {
    return {bytes.begin(), bytes.end()};
}

base::Status check_flags(unsigned type, unsigned flags, const Reader& reader) {
    if (type == publish_type) return {};
    const bool two = type == pubrel_type || type == subscribe_type || type == unsubscribe_type;
    if (flags == (two ? 2U : 0U)) return {};
    return reader.fail("flags of the fixed header are " + std::to_string(flags) + ", not " +
                       (two ? "2" : "0") + " (MQTT-2.2.2-2)");
}

struct ConnectFlags {
    bool clean_session, will, will_retain, password, user_name;
    std::uint8_t will_qos;
};

base::Result<ConnectFlags> read_connect_flags(Reader& reader) {
    SP_TRY(return, const unsigned bits, reader.byte("connect flags"));
    const ConnectFlags flags{.clean_session = (bits & 0x02) != 0,
                             .will = (bits & 0x04) != 0,
                             .will_retain = (bits & 0x20) != 0,
                             .password = (bits & 0x40) != 0,
                             .user_name = (bits & 0x80) != 0,
                             .will_qos = static_cast<std::uint8_t>(bits >> 3 & 3)};
    if ((bits & 1) != 0) return reader.fail("connect flags have the reserved bit set (MQTT-3.1.2-3)");
    if (!flags.will && flags.will_qos != 0)
        return reader.fail("will QoS is set without a will (MQTT-3.1.2-13)");
    if (!flags.will && flags.will_retain)
        return reader.fail("will retain is set without a will (MQTT-3.1.2-15)");
    if (flags.will_qos == 3) return reader.fail("will QoS is 3 (MQTT-3.1.2-14)");
    if (flags.password && !flags.user_name)
        return reader.fail("password flag is set without user name flag (MQTT-3.1.2-22)");
    return flags;
}

base::Result<Packet> read_connect(Reader& reader) {
    Connect connect;
    SP_TRY(return, connect.protocol, reader.text("protocol name"));
    if (connect.protocol != "MQTT" && connect.protocol != "MQIsdp")
        return reader.fail("protocol name is not MQTT (MQTT-3.1.2-1)");
    SP_TRY(return, connect.level, reader.byte("protocol level"));
    // Fields of other levels lie elsewhere; the level is all that a refusal needs.
    if (connect.level != 4 || connect.protocol != "MQTT") return connect;
    SP_TRY(return, const auto flags, read_connect_flags(reader));
    connect.clean_session = flags.clean_session;
    SP_TRY(return, connect.keep_alive, reader.number("keep alive"));
    SP_TRY(return, connect.client_id, reader.text("client id"));
    if (flags.will) {
        Will will;
        SP_TRY(return, will.topic, reader.text("will topic"));
        if (!is_valid_topic(will.topic))
            return reader.fail("will topic is empty or holds a wildcard (MQTT-4.7.3-1, MQTT-4.7.1-1)");
        SP_TRY(return, const auto payload, reader.data("will message"));
        will.payload = copy(payload);
        will.qos = static_cast<Qos>(flags.will_qos);
        will.retain = flags.will_retain;
        connect.will = std::move(will);
    }
    if (flags.user_name) {
        SP_TRY(return, connect.user_name, reader.text("user name"));
    }
    if (flags.password) {
        SP_TRY(return, const auto password, reader.data("password"));
        connect.password = std::string(base::as_text(password));
    }
    return connect;
}

base::Result<Packet> read_connack(Reader& reader) {
    SP_TRY(return, const unsigned flags, reader.byte("acknowledge flags"));
    SP_TRY(return, const unsigned code, reader.byte("return code"));
    if (flags > 1)
        return reader.fail("acknowledge flags have a reserved bit set (MQTT 3.1.1 section 3.2.2.1)");
    if (code > 5) return reader.fail("return code is reserved (MQTT 3.1.1 section 3.2.2.3)");
    if (flags == 1 && code != 0) return reader.fail("session present is set with a refusal (MQTT-3.2.2-4)");
    return Connack{.session_present = flags == 1, .code = static_cast<ConnackCode>(code)};
}

base::Result<Packet> read_publish(Reader& reader, unsigned flags) {
    const unsigned qos = flags >> 1 & 3;
    if (qos == 3) return reader.fail("QoS is 3 (MQTT-3.3.1-4)");
    Publish publish;
    publish.qos = static_cast<Qos>(qos);
    publish.retain = (flags & 1) != 0;
    publish.duplicate = (flags & 8) != 0;
    if (publish.duplicate && qos == 0) return reader.fail("DUP is set with QoS 0 (MQTT-3.3.1-2)");
    SP_TRY(return, publish.topic, reader.text("topic name"));
    if (publish.topic.empty()) return reader.fail("topic name is empty (MQTT-4.7.3-1)");
    if (!is_valid_topic(publish.topic)) return reader.fail("topic name holds a wildcard (MQTT-3.3.2-2)");
    if (qos > 0) {
        SP_TRY(return, publish.packet_id, reader.packet_id("MQTT-2.3.1-1"));
    }
    publish.payload = copy(reader.rest());
    return publish;
}

base::Result<std::string> read_filter(Reader& reader) {
    SP_TRY(return, auto filter, reader.text("topic filter"));
    if (filter.empty()) return reader.fail("topic filter is empty (MQTT-4.7.3-1)");
    if (!is_valid_filter(filter))
        return reader.fail("topic filter has a misplaced wildcard (MQTT-4.7.1-2, MQTT-4.7.1-3)");
    return filter;
}

base::Status check_count(const Reader& reader, std::size_t count) {
    if (count <= limits::filters) return {};
    return base::fail(base::Code::too_large, reader.fail({}).error().thing,
                      "has more than " + std::to_string(limits::filters) + " topic filters (limit)");
}

base::Result<Packet> read_subscribe(Reader& reader) {
    Subscribe subscribe;
    SP_TRY(return, subscribe.packet_id, reader.packet_id("MQTT-2.3.1-1"));
    if (reader.empty()) return reader.fail("has no topic filter (MQTT-3.8.3-3)");
    while (!reader.empty()) {
        Subscription wanted;
        SP_TRY(return, wanted.filter, read_filter(reader));
        SP_TRY(return, const unsigned qos, reader.byte("requested QoS"));
        if (qos > 2) return reader.fail("requested QoS is " + std::to_string(qos) + " (MQTT-3.8.3-4)");
        wanted.qos = static_cast<Qos>(qos);
        subscribe.subscriptions.push_back(std::move(wanted));
        if (auto few = check_count(reader, subscribe.subscriptions.size()); !few)
            return std::unexpected(few.error());
    }
    return subscribe;
}

base::Result<Packet> read_suback(Reader& reader) {
    Suback suback;
    SP_TRY(return, suback.packet_id, reader.packet_id("MQTT-2.3.1-7"));
    if (reader.empty()) return reader.fail("has no return code (MQTT-3.9.3-1)");
    for (const auto code : reader.rest()) {
        const auto value = std::to_integer<std::uint8_t>(code);
        if (value > 2 && value != 0x80) return reader.fail("return code is reserved (MQTT-3.9.3-2)");
        suback.codes.push_back(value);
    }
    return suback;
}

base::Result<Packet> read_unsubscribe(Reader& reader) {
    Unsubscribe unsubscribe;
    SP_TRY(return, unsubscribe.packet_id, reader.packet_id("MQTT-2.3.1-1"));
    if (reader.empty()) return reader.fail("has no topic filter (MQTT-3.10.3-2)");
    while (!reader.empty()) {
        SP_TRY(return, auto filter, read_filter(reader));
        unsubscribe.filters.push_back(std::move(filter));
        if (auto few = check_count(reader, unsubscribe.filters.size()); !few)
            return std::unexpected(few.error());
    }
    return unsubscribe;
}

base::Result<Packet> read_body(Reader& reader, unsigned type, unsigned flags) {
    switch (type) {
        case connect_type:
            return read_connect(reader);
        case connack_type:
            return read_connack(reader);
        case publish_type:
            return read_publish(reader, flags);
        case subscribe_type:
            return read_subscribe(reader);
        case suback_type:
            return read_suback(reader);
        case unsubscribe_type:
            return read_unsubscribe(reader);
        case pingreq_type:
            return Pingreq{};
        case pingresp_type:
            return Pingresp{};
        case disconnect_type:
            return Disconnect{};
        default:
            break;
    }
    SP_TRY(return, const auto id, reader.packet_id("MQTT-2.3.1-6"));
    switch (type) {
        case puback_type:
            return Puback{id};
        case unsuback_type:
            return Unsuback{id};
        default:
            return QosTwoStep{static_cast<std::uint8_t>(type), id};
    }
}

/// Remaining length of section 2.2.3 and how many octets the fixed header has.
struct FixedHeader {
    std::size_t size, remaining;
};

base::Result<std::optional<FixedHeader>> read_fixed_header(std::span<const std::byte> bytes) {
    if (bytes.empty()) return std::nullopt;
    const auto type = std::to_integer<unsigned>(bytes[0]) >> 4;
    const auto fail = [&](std::string reason) {
        return base::fail(base::Code::malformed, std::string(names[type]), std::move(reason));
    };
    if (type == 0 || type == 15) return fail("is reserved (MQTT 3.1.1 section 2.2.1)");
    std::size_t remaining = 0;
    for (std::size_t i = 1; i <= 4; ++i) {
        if (i == bytes.size()) return std::nullopt;
        const auto octet = std::to_integer<std::size_t>(bytes[i]);
        remaining |= (octet & 0x7f) << (7 * (i - 1));
        if ((octet & 0x80) != 0) continue;
        if (octet == 0 && i > 1)
            return fail("remaining length is longer than it need be (MQTT 3.1.1 table 2.4)");
        return FixedHeader{i + 1, remaining};
    }
    return fail("remaining length has more than four octets (MQTT 3.1.1 section 2.2.3)");
}

}  // namespace

base::Result<std::optional<std::size_t>> packet_size(std::span<const std::byte> bytes, std::size_t limit) {
    SP_TRY(return, const auto header, read_fixed_header(bytes));
    if (!header) return std::nullopt;
    const auto size = header->size + header->remaining;
    if (size > limit)
        return base::fail(
            base::Code::too_large, std::string(names[std::to_integer<unsigned>(bytes[0]) >> 4]),
            "has " + std::to_string(size) + " bytes, over the limit of " + std::to_string(limit));
    return size;
}

base::Result<std::optional<Decoded>> decode(std::span<const std::byte> bytes) {
    SP_TRY(return, const auto size, packet_size(bytes));
    if (!size || bytes.size() < *size) return std::nullopt;
    SP_TRY(return, const auto header, read_fixed_header(bytes));
    const auto first = std::to_integer<unsigned>(bytes[0]);
    const unsigned type = first >> 4, flags = first & 15;
    Reader reader(bytes.subspan(header->size, header->remaining), names[type]);
    if (auto right = check_flags(type, flags, reader); !right) return std::unexpected(right.error());
    SP_TRY(return, auto packet, read_body(reader, type, flags));
    const auto* connect = std::get_if<Connect>(&packet);
    const bool other_level = connect != nullptr && (connect->level != 4 || connect->protocol != "MQTT");
    if (!other_level) {
        if (auto ended = reader.end(); !ended) return std::unexpected(ended.error());
    }
    return Decoded{std::move(packet), *size};
}

std::string_view name(const Packet& packet) {
    struct {
        unsigned operator()(const Connect&) const { return connect_type; }
        unsigned operator()(const Connack&) const { return connack_type; }
        unsigned operator()(const Publish&) const { return publish_type; }
        unsigned operator()(const Puback&) const { return puback_type; }
        unsigned operator()(const QosTwoStep& step) const { return step.type & 15U; }
        unsigned operator()(const Subscribe&) const { return subscribe_type; }
        unsigned operator()(const Suback&) const { return suback_type; }
        unsigned operator()(const Unsubscribe&) const { return unsubscribe_type; }
        unsigned operator()(const Unsuback&) const { return unsuback_type; }
        unsigned operator()(const Pingreq&) const { return pingreq_type; }
        unsigned operator()(const Pingresp&) const { return pingresp_type; }
        unsigned operator()(const Disconnect&) const { return disconnect_type; }
    } constexpr type;
    return names[std::visit(type, packet)];
}

}  // namespace mqtt
