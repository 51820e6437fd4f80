// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "http/reader.hpp"
#include "net/framing.hpp"

/// The server's end of WebSocket (RFC 6455), without any I/O and without extensions.
namespace http {

/// The answer 101 to a request that opens a WebSocket and offers `protocol`, in whatever case; it is echoed
/// as it was offered. Refuses with 400 what is no such request or offers only other subprotocols, 405 another
/// verb than GET, 426 another version than 13.
std::expected<Response, Refusal> accept_websocket(const Request& request, std::string_view protocol);

/// The frames behind that answer: binary messages whose borders carry no meaning. A message is handed on as
/// it arrives, so a frame may be of any length and no memory is held between two reads but that of one
/// control frame. Pings are answered, pongs ignored, a Close is echoed. Text, frames without mask, reserved
/// bits and opcodes, lengths in a longer form than needed, and control frames that are split or over 125
/// bytes break the rules: the peer is sent a Close with the code of section 7.4.1.
class WebSocketFraming final : public net::Framing {
  public:
    base::Status unwrap(std::span<const std::byte> received, base::Bytes& carried,
                        base::Bytes& answer) override;
    /// One unmasked binary frame.
    void wrap(std::span<const std::byte> bytes, base::Bytes& wire) override;
    /// Close 1000, normal closure.
    void end(base::Bytes& wire) override;

  private:
    std::size_t header_size() const;
    base::Status begin_frame(base::Bytes& answer);
    base::Status end_frame(base::Bytes& answer);
    base::Status closed_by_peer(base::Bytes& answer);
    base::Status refuse(std::uint16_t code, base::Code kind, std::string reason, base::Bytes& answer);
    void send_close(std::uint16_t code, base::Bytes& wire);
    bool is_control() const;

    std::array<std::byte, 14> header_{};  ///< of the frame that is being read
    std::size_t have_ = 0;                ///< how much of it is there
    bool in_payload_ = false;
    bool in_message_ = false;  ///< frames of a message have come, its last has not
    std::uint64_t left_ = 0;   ///< of the frame's payload
    std::size_t masked_ = 0;   ///< how much of it has been unmasked
    base::Bytes control_;      ///< the payload of a control frame
    bool over_ = false;        ///< our Close is said
};

}  // namespace http
