// SPDX-License-Identifier: Apache-2.0
#include "http/websocket.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "pki/digest.hpp"

namespace http {

namespace {

/// RFC 6455 section 1.3.
constexpr std::string_view accept_salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t nonce_size = 16;

enum Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
constexpr std::size_t longest_control = 125;

constexpr std::uint16_t normal_closure = 1000;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t unsupported_data = 1003;
constexpr std::uint16_t invalid_payload = 1007;

/// The elements of a comma-separated field, of all fields of that name.
std::vector<std::string_view> elements(const Headers& headers, std::string_view name) {
    std::vector<std::string_view> found;
    for (const auto& [key, value] : headers.all()) {
        if (!base::equal_ignoring_case(key, name)) continue;
        for (const auto element : base::split(value, ',')) {
            if (const auto word = base::trim(element); !word.empty()) found.push_back(word);
        }
    }
    return found;
}

bool has_element(const Headers& headers, std::string_view name, std::string_view wanted) {
    return std::ranges::any_of(elements(headers, name),
                               [&](auto word) { return base::equal_ignoring_case(word, wanted); });
}

std::string accept_key(std::string_view key) {
    const std::string salted = std::string(key) + std::string(accept_salt);
    return base::to_base64(pki::sha1(base::as_bytes(salted)));
}

/// What a peer may put into a Close (RFC 6455 section 7.4 and the IANA registry).
bool is_close_code(std::uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::uint64_t number(std::span<const std::byte> big_endian) {
    std::uint64_t value = 0;
    for (const auto byte : big_endian) value = value << 8U | std::to_integer<std::uint64_t>(byte);
    return value;
}

void append_frame(Opcode opcode, std::span<const std::byte> payload, base::Bytes& wire) {
    wire.push_back(std::byte(0x80U | opcode));
    const auto size = payload.size();
    const auto append_size = [&](int octets) {
        for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) wire.push_back(std::byte(size >> shift));
    };
    if (size < 126) {
        append_size(1);
    } else if (size <= 0xFFFF) {
        wire.push_back(std::byte{126});
        append_size(2);
    } else {
        wire.push_back(std::byte{127});
        append_size(8);
    }
    wire.insert(wire.end(), payload.begin(), payload.end());
}

}  // namespace

std::expected<Response, Refusal> accept_websocket(const Request& request, std::string_view protocol) {
    const auto refuse = [](int status, std::string reason) {
        return std::unexpected(Refusal{status, std::move(reason)});
    };
    if (request.verb != Verb::get) return refuse(405, "a WebSocket is opened with GET");
    if (!has_element(request.headers, "Upgrade", "websocket") ||
        !has_element(request.headers, "Connection", "Upgrade")) {
        return refuse(400, "the request does not ask to upgrade the connection to a WebSocket");
    }
    if (request.headers.get("Sec-WebSocket-Version").value_or("") != "13") {
        return refuse(426, "only version 13 of WebSocket is known");
    }
    const auto key = base::trim(request.headers.get("Sec-WebSocket-Key").value_or(""));
    const auto nonce = base::from_base64(key);
    if (!nonce || nonce->size() != nonce_size) {
        return refuse(400, "Sec-WebSocket-Key is not 16 bytes in base64");
    }
    const auto offered = elements(request.headers, "Sec-WebSocket-Protocol");
    const auto chosen =
        std::ranges::find_if(offered, [&](auto word) { return base::equal_ignoring_case(word, protocol); });
    if (chosen == offered.end()) {
        std::string reason = "only the subprotocol " + std::string(protocol) + " is spoken here, ";
        if (offered.empty()) return refuse(400, reason + "and none was offered");
        reason += "not";
        for (const auto word : offered) reason += " " + std::string(word);
        return refuse(400, std::move(reason));
    }
    Response response = Response::empty(101);
    response.headers.add("Upgrade", "websocket");
    response.headers.add("Sec-WebSocket-Accept", accept_key(key));
    response.headers.add("Sec-WebSocket-Protocol", std::string(*chosen));
    return response;
}

bool WebSocketFraming::is_control() const {
    return (std::to_integer<unsigned>(header_[0]) & 0x08U) != 0;
}

/// Of the frame whose first two bytes are there.
std::size_t WebSocketFraming::header_size() const {
    const auto length = std::to_integer<unsigned>(header_[1]) & 0x7FU;
    constexpr std::size_t bare_and_mask = 2 + 4;
    return bare_and_mask + (length == 127 ? 8 : length == 126 ? 2 : 0);
}

base::Status WebSocketFraming::unwrap(std::span<const std::byte> received, base::Bytes& carried,
                                      base::Bytes& answer) {
    while (!received.empty()) {
        if (over_) return base::fail(base::Code::closed, "WebSocket", "has been closed");
        if (!in_payload_) {
            header_[have_++] = received.front();
            received = received.subspan(1);
            if (have_ < 2 || (have_ > 2 && have_ < header_size())) continue;
            if (auto fine = begin_frame(answer); !fine) return fine;
            if (!in_payload_) continue;
        } else {
            const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, received.size()));
            base::Bytes& into = is_control() ? control_ : carried;
            const std::span<const std::byte> mask = std::span(header_).subspan(header_size() - 4, 4);
            for (const auto byte : received.first(take)) into.push_back(byte ^ mask[masked_++ % 4]);
            received = received.subspan(take);
            left_ -= take;
        }
        if (left_ > 0) continue;
        in_payload_ = false;
        have_ = 0;
        masked_ = 0;
        if (auto fine = end_frame(answer); !fine) return fine;
    }
    return {};
}

/// Judges the first two bytes once they are there, and the length once the header is complete.
base::Status WebSocketFraming::begin_frame(base::Bytes& answer) {
    const auto broken = [&](std::string reason) {
        return refuse(protocol_error, base::Code::malformed, std::move(reason), answer);
    };
    const auto first = std::to_integer<unsigned>(header_[0]);
    const auto second = std::to_integer<unsigned>(header_[1]);
    const auto opcode = first & 0x0FU;
    const bool final = (first & 0x80U) != 0;
    const auto short_length = second & 0x7FU;
    if (have_ == 2) {
        if ((first & 0x70U) != 0) return broken("has a reserved bit set, and no extension was agreed on");
        if ((second & 0x80U) == 0) return broken("of a client is not masked");
        switch (opcode) {
            case continuation:
                if (!in_message_) return broken("continues a message that was not begun");
                break;
            case text:
                return refuse(unsupported_data, base::Code::unsupported,
                              "is text, where only binary messages are spoken", answer);
            case binary:
                if (in_message_) return broken("begins a message within another");
                break;
            case close:
            case ping:
            case pong:
                if (!final) return broken("is one of control and is split");
                if (short_length > longest_control) return broken("is one of control and over 125 bytes");
                break;
            default:
                return broken("has the unknown opcode " + std::to_string(opcode));
        }
        return {};
    }
    left_ = short_length;
    if (short_length > longest_control) {
        const std::size_t octets = header_size() - 2 - 4;
        left_ = number(std::span(header_).subspan(2, octets));
        if (left_ <= (octets == 2 ? longest_control : 0xFFFFU)) {
            return broken("has its length in a longer form than needed");
        }
        if ((left_ >> 63U) != 0) return broken("has a length of more than 63 bits");
    }
    in_payload_ = true;
    if (!is_control()) in_message_ = !final;
    return {};
}

base::Status WebSocketFraming::end_frame(base::Bytes& answer) {
    if (!is_control()) return {};
    const auto opcode = std::to_integer<unsigned>(header_[0]) & 0x0FU;
    if (opcode == close) return closed_by_peer(answer);
    if (opcode == ping) append_frame(pong, control_, answer);
    base::Bytes().swap(control_);
    return {};
}

base::Status WebSocketFraming::closed_by_peer(base::Bytes& answer) {
    if (control_.empty()) {
        over_ = true;
        append_frame(close, {}, answer);
        return base::fail(base::Code::closed, "WebSocket", "was closed by the peer");
    }
    const std::span<const std::byte> payload = control_;
    const auto code =
        payload.size() < 2 ? std::uint16_t{0} : static_cast<std::uint16_t>(number(payload.first(2)));
    if (!is_close_code(code)) {
        return refuse(protocol_error, base::Code::malformed, "closes with a code that may not be sent",
                      answer);
    }
    const auto reason = base::as_text(payload.subspan(2));
    if (!base::is_utf8(reason)) {
        return refuse(invalid_payload, base::Code::malformed, "closes with a reason that is not UTF-8",
                      answer);
    }
    send_close(code, answer);
    return base::fail(base::Code::closed, "WebSocket",
                      "was closed by the peer with " + std::to_string(code) +
                          (reason.empty() ? "" : ": " + std::string(reason)));
}

base::Status WebSocketFraming::refuse(std::uint16_t code, base::Code kind, std::string reason,
                                      base::Bytes& answer) {
    send_close(code, answer);
    return base::fail(kind, "WebSocket frame", std::move(reason));
}

void WebSocketFraming::send_close(std::uint16_t code, base::Bytes& wire) {
    over_ = true;
    const std::array payload{std::byte(code >> 8U), std::byte(code & 0xFFU)};
    append_frame(close, payload, wire);
}

void WebSocketFraming::wrap(std::span<const std::byte> bytes, base::Bytes& wire) {
    if (!over_) append_frame(binary, bytes, wire);
}

void WebSocketFraming::end(base::Bytes& wire) {
    if (!over_) send_close(normal_closure, wire);
}

}  // namespace http
