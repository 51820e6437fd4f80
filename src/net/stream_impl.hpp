// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "net/socket.hpp"
#include "net/stream.hpp"
#include "pki/openssl.hpp"

/// For net/*.cpp only.
namespace net {

/// What one try on a non-blocking connection came to.
struct Attempt {
    enum class Kind { done, want_read, want_write, failed };
    Kind kind = Kind::failed;
    std::size_t count = 0;
    base::Error error;  ///< where failed
};

struct Stream::Impl {
    explicit Impl(std::shared_ptr<Socket> over) : socket(std::move(over)) {}

    Attempt try_read(std::span<std::byte> into, bool peek);
    Attempt try_write(std::span<const std::byte> bytes);
    Attempt try_handshake();
    /// What an SSL call that returned `result` means.
    Attempt ssl_attempt(int result, std::string_view doing);
    void send_close_notify();
    void close();

    std::shared_ptr<Socket> socket;
    pki::SslPtr ssl;           ///< none: a plain socket
    bool established = false;  ///< the handshake is done and nothing has broken it since
    Peer peer;
};

/// Shakes hands on a stream whose `ssl` has its descriptor and its role. Fails with `timeout`, or with
/// `unavailable` and what OpenSSL said.
Task<base::Status> shake_hands(std::shared_ptr<Stream::Impl> stream, SteadyTime deadline);

/// Fills version, server name and certificates of `peer` from a finished handshake.
void describe_tls_peer(Stream::Impl& stream);
/// "127.0.0.1:51324", "[::1]:51324".
std::string address_text(const struct sockaddr* address);

}  // namespace net
