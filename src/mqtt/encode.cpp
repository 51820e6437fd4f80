// SPDX-License-Identifier: Apache-2.0
#include <cassert>

#include "mqtt/packet.hpp"

namespace mqtt {
namespace {

/// Collects the body; the fixed header goes in front once the length is known.
class Writer {
  public:
    explicit Writer(std::size_t expected) { bytes_.reserve(expected + longest_header); }

    void byte(unsigned value) { bytes_.push_back(static_cast<std::byte>(value)); }
    void number(std::size_t value) {
        byte(static_cast<unsigned>(value >> 8 & 255));
        byte(static_cast<unsigned>(value & 255));
    }
    void raw(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void data(std::span<const std::byte> bytes) {
        assert(bytes.size() <= 65'535);
        number(bytes.size());
        raw(bytes);
    }
    void text(std::string_view text) { data(base::as_bytes(text)); }

    base::Bytes finish(unsigned type, unsigned flags) && {
        std::byte header[longest_header];
        std::size_t size = 0;
        header[size++] = static_cast<std::byte>(type << 4 | flags);
        auto remaining = bytes_.size();
        assert(remaining <= 268'435'455);
        do {
            const auto more = remaining > 127 ? 0x80U : 0U;
            header[size++] = static_cast<std::byte>((remaining & 0x7f) | more);
            remaining >>= 7;
        } while (remaining > 0);
        bytes_.insert(bytes_.begin(), header, header + size);
        return std::move(bytes_);
    }

  private:
    static constexpr std::size_t longest_header = 5;
    base::Bytes bytes_;
};

base::Bytes with_id(unsigned type, unsigned flags, std::uint16_t id) {
    assert(id != 0);
    Writer writer(2);
    writer.number(id);
    return std::move(writer).finish(type, flags);
}

struct Encode {
    base::Bytes operator()(const Connect& connect) const {
        assert(connect.user_name || !connect.password);
        const auto& will = connect.will;
        Writer writer(64 + connect.client_id.size() + (will ? will->topic.size() + will->payload.size() : 0) +
                      connect.user_name.value_or("").size() + connect.password.value_or("").size());
        writer.text(connect.protocol);
        writer.byte(connect.level);
        writer.byte(
            (connect.clean_session ? 0x02U : 0U) |
            (will ? 0x04U | static_cast<unsigned>(will->qos) << 3 | (will->retain ? 0x20U : 0U) : 0U) |
            (connect.password ? 0x40U : 0U) | (connect.user_name ? 0x80U : 0U));
        writer.number(connect.keep_alive);
        writer.text(connect.client_id);
        if (will) {
            assert(is_valid_topic(will->topic));
            writer.text(will->topic);
            writer.data(will->payload);
        }
        if (connect.user_name) writer.text(*connect.user_name);
        if (connect.password) writer.text(*connect.password);
        return std::move(writer).finish(1, 0);
    }
    base::Bytes operator()(const Connack& connack) const {
        Writer writer(3);
        if (connack.level == 5) {
            constexpr unsigned unsupported_protocol_version = 0x84;
            writer.byte(0);
            writer.byte(unsupported_protocol_version);
            writer.byte(0);  // no properties
            return std::move(writer).finish(2, 0);
        }
        assert(!connack.session_present || connack.code == ConnackCode::accepted);
        writer.byte(connack.session_present ? 1 : 0);
        writer.byte(static_cast<unsigned>(connack.code));
        return std::move(writer).finish(2, 0);
    }
    base::Bytes operator()(const Publish& publish) const {
        const auto qos = static_cast<unsigned>(publish.qos);
        assert(is_valid_topic(publish.topic));
        assert((qos == 0) == (publish.packet_id == 0));
        assert(qos != 0 || !publish.duplicate);
        Writer writer(publish.topic.size() + publish.payload.size() + 4);
        writer.text(publish.topic);
        if (qos > 0) writer.number(publish.packet_id);
        writer.raw(publish.payload);
        return std::move(writer).finish(
            3, (publish.duplicate ? 8U : 0U) | qos << 1 | (publish.retain ? 1U : 0U));
    }
    base::Bytes operator()(const Puback& puback) const { return with_id(4, 0, puback.packet_id); }
    base::Bytes operator()(const QosTwoStep& step) const {
        constexpr unsigned pubrel = 6;
        assert(step.type >= 5 && step.type <= 7);
        return with_id(step.type, step.type == pubrel ? 2 : 0, step.packet_id);
    }
    base::Bytes operator()(const Subscribe& subscribe) const {
        assert(subscribe.packet_id != 0 && !subscribe.subscriptions.empty());
        Writer writer(256);
        writer.number(subscribe.packet_id);
        for (const auto& wanted : subscribe.subscriptions) {
            assert(is_valid_filter(wanted.filter));
            writer.text(wanted.filter);
            writer.byte(static_cast<unsigned>(wanted.qos));
        }
        return std::move(writer).finish(8, 2);
    }
    base::Bytes operator()(const Suback& suback) const {
        assert(suback.packet_id != 0 && !suback.codes.empty());
        Writer writer(2 + suback.codes.size());
        writer.number(suback.packet_id);
        for (const auto code : suback.codes) writer.byte(code);
        return std::move(writer).finish(9, 0);
    }
    base::Bytes operator()(const Unsubscribe& unsubscribe) const {
        assert(unsubscribe.packet_id != 0 && !unsubscribe.filters.empty());
        Writer writer(256);
        writer.number(unsubscribe.packet_id);
        for (const auto& filter : unsubscribe.filters) {
            assert(is_valid_filter(filter));
            writer.text(filter);
        }
        return std::move(writer).finish(10, 2);
    }
    base::Bytes operator()(const Unsuback& unsuback) const { return with_id(11, 0, unsuback.packet_id); }
    base::Bytes operator()(const Pingreq&) const { return Writer(0).finish(12, 0); }
    base::Bytes operator()(const Pingresp&) const { return Writer(0).finish(13, 0); }
    base::Bytes operator()(const Disconnect&) const { return Writer(0).finish(14, 0); }
};

}  // namespace

base::Bytes encode(const Packet& packet) {
    return std::visit(Encode{}, packet);
}

}  // namespace mqtt
