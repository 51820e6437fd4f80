// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/packet.hpp"
#include "net/stream.hpp"
#include "test_hub.hpp"

namespace hub_test {

/// MQTT in WebSocket frames over a raw TLS stream, byte by byte as a test wants it. On its own loop.
class WebSocketClient {
  public:
    explicit WebSocketClient(net::Stream stream) : stream_(std::move(stream)) {}

    net::Task<bool> send(base::Bytes bytes);
    /// Sends the opening request; the head of the answer, or what came until the end.
    net::Task<std::string> open(std::string_view protocol, std::string_view target = "/$iothub/websocket");
    /// The next frame of the server: opcode and payload; nullopt: the connection has ended.
    struct Frame {
        unsigned opcode;
        base::Bytes payload;
    };
    net::Task<std::optional<Frame>> next_frame();
    /// The next packet in frames of data; nullopt where a Close or the end came first.
    net::Task<std::optional<mqtt::Packet>> next_packet();

    /// What is there, and more of it; false: the connection has ended.
    const std::string& received() const { return received_; }
    net::Task<bool> receive();
    void drop(std::size_t count) { received_.erase(0, count); }

  private:
    net::Stream stream_;
    std::string received_;
    base::Bytes mqtt_;
};

/// A masked frame of the client. opcode: 2 binary, 0 continuation, 8 close, 9 ping.
base::Bytes client_frame(unsigned opcode, std::span<const std::byte> payload, bool final = true);
base::Bytes joined(std::initializer_list<base::Bytes> parts);

}  // namespace hub_test
