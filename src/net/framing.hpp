// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace net {

/// How the bytes of a protocol lie in those of a connection where they do not stand there bare: MQTT in
/// WebSocket frames. Pure: whoever owns the stream reads and writes. A bare connection has none.
class Framing {
  public:
    virtual ~Framing() = default;
    /// Takes what the peer has sent, in pieces of any size. Appends what it carries to `carried`, and to
    /// `answer` what the peer must be told at once. Fails with `closed` where the peer has ended the framing,
    /// with `malformed` or `unsupported` where it broke its rules; `answer` then holds the last word, and
    /// nothing may be sent behind it.
    virtual base::Status unwrap(std::span<const std::byte> received, base::Bytes& carried,
                                base::Bytes& answer) = 0;
    /// Appends `bytes` to `wire` as they go to the peer; nothing once the last word was said.
    virtual void wrap(std::span<const std::byte> bytes, base::Bytes& wire) = 0;
    /// Appends the last word to the peer; nothing where it was said before.
    virtual void end(base::Bytes& wire) = 0;
};

}  // namespace net
