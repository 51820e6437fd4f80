// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace net {

/// A Unix socket whose calls hold up their thread, for the one caller that cannot wait otherwise: OpenSSL,
/// which wants a signature before it returns. For short exchanges on this machine and nothing else.
class BlockingStream {
  public:
    /// limit: of each single wait from now on.
    static base::Result<BlockingStream> connect(const std::string& path, std::chrono::milliseconds limit);
    BlockingStream(BlockingStream&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    BlockingStream& operator=(BlockingStream&& other) noexcept;
    ~BlockingStream();

    base::Status write_all(std::span<const std::byte> bytes);
    /// At least one byte; `closed` at the end, `timeout` after the limit.
    base::Result<std::size_t> read_some(std::span<std::byte> into);

  private:
    explicit BlockingStream(int socket) : socket_(socket) {}
    int socket_;
};

}  // namespace net
