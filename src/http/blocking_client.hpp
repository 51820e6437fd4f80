// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "http/message.hpp"
#include "net/blocking_stream.hpp"

namespace http {

/// Requests over a Unix socket that hold up their thread (net/blocking_stream.hpp says when). The connection
/// stays open for the next one. One thread at a time.
class BlockingClient {
  public:
    BlockingClient(std::string path, std::chrono::milliseconds limit)
        : path_(std::move(path)), limit_(limit) {}
    /// As http::request; limit: of each wait. Asked a second time where the connection that was kept has
    /// ended meanwhile.
    base::Result<Response> ask(const Request& request);

  private:
    base::Result<Response> ask_once(const std::string& bytes, bool& silent);

    std::string path_;
    std::chrono::milliseconds limit_;
    std::optional<net::BlockingStream> stream_;
};

}  // namespace http
