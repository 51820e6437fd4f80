// SPDX-License-Identifier: Apache-2.0
#include "websocket_client.hpp"

namespace hub_test {

namespace {

constexpr std::chrono::milliseconds limit = std::chrono::seconds(20);

}  // namespace

base::Bytes client_frame(unsigned opcode, std::span<const std::byte> payload, bool final) {
    base::Bytes frame{std::byte((final ? 0x80U : 0U) | opcode)};
    const auto size = payload.size();
    if (size < 126) {
        frame.push_back(std::byte(0x80U | size));
    } else if (size <= 0xFFFF) {
        for (const auto octet : {std::size_t{0xFE}, size >> 8U, size & 0xFFU})
            frame.push_back(std::byte(octet));
    } else {
        frame.push_back(std::byte{0xFF});
        for (int shift = 56; shift >= 0; shift -= 8) frame.push_back(std::byte(size >> shift));
    }
    constexpr std::array mask{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};
    frame.insert(frame.end(), mask.begin(), mask.end());
    for (std::size_t i = 0; i < size; ++i) frame.push_back(payload[i] ^ mask[i % 4]);
    return frame;
}

base::Bytes joined(std::initializer_list<base::Bytes> parts) {
    base::Bytes all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

net::Task<bool> WebSocketClient::send(base::Bytes bytes) {
    const auto sent = co_await stream_.write_all(bytes, limit);
    co_return sent.has_value();
}

net::Task<bool> WebSocketClient::receive() {
    std::array<std::byte, 4096> buffer;
    const auto got = co_await stream_.read_some(buffer, limit);
    if (!got) co_return false;
    received_ += base::as_text(std::span(buffer).first(*got));
    co_return true;
}

net::Task<std::string> WebSocketClient::open(std::string_view protocol, std::string_view target) {
    std::string request = "GET " + std::string(target) +
                          " HTTP/1.1\r\nHost: contosoiothub.local\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " +
                          std::string(protocol) + "\r\n\r\n";
    const auto bytes = base::as_bytes(request);
    base::Bytes wire(bytes.begin(), bytes.end());
    const bool sent = co_await send(std::move(wire));
    if (!sent) co_return std::string();
    for (;;) {
        const auto end = received_.find("\r\n\r\n");
        if (end != std::string::npos) {
            auto head = received_.substr(0, end + 4);
            received_.erase(0, end + 4);
            co_return head;
        }
        const bool more = co_await receive();
        if (!more) co_return std::exchange(received_, {});
    }
}

net::Task<std::optional<WebSocketClient::Frame>> WebSocketClient::next_frame() {
    for (;;) {
        const auto at = [&](std::size_t i) {
            return static_cast<std::size_t>(static_cast<unsigned char>(received_[i]));
        };
        if (received_.size() >= 2) {
            std::size_t head = 2;
            std::size_t size = at(1);
            if (size == 126 && received_.size() >= 4) {
                head = 4;
                size = at(2) << 8U | at(3);
            }
            if (size != 126 && size != 127 && received_.size() >= head + size) {
                const auto payload = base::as_bytes(std::string_view(received_).substr(head, size));
                Frame frame{static_cast<unsigned>(at(0) & 0x0FU), {payload.begin(), payload.end()}};
                received_.erase(0, head + size);
                co_return frame;
            }
        }
        const bool more = co_await receive();
        if (!more) co_return std::nullopt;
    }
}

net::Task<std::optional<mqtt::Packet>> WebSocketClient::next_packet() {
    for (;;) {
        auto decoded = mqtt::decode(mqtt_);
        if (!decoded) co_return std::nullopt;
        if (*decoded) {
            mqtt_.erase(mqtt_.begin(), mqtt_.begin() + static_cast<std::ptrdiff_t>((*decoded)->consumed));
            co_return std::move((*decoded)->packet);
        }
        const auto frame = co_await next_frame();
        if (!frame || frame->opcode == 8) co_return std::nullopt;
        if (frame->opcode == 2) mqtt_.insert(mqtt_.end(), frame->payload.begin(), frame->payload.end());
    }
}

}  // namespace hub_test
