// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/encoding.hpp"
#include "http/message.hpp"
#include "net/listener.hpp"

namespace http {

struct Limits {
    std::size_t body = 1024 * 1024;
    std::size_t header = 16 * 1024;
    std::chrono::milliseconds head_deadline{20'000};  ///< from the first byte of a request to its last header
    std::chrono::milliseconds body_deadline{20'000};
    std::chrono::milliseconds idle{60'000};  ///< between two requests
    bool close_after_answer = false;         ///< edge-runtime.md 6.3: the C# SDK reads to the end
};

/// Answers one request. It may wait (long poll); while it does the connection counts as busy. Its own loop.
using Handler = std::function<net::Task<Response>(Request request, const net::Peer& peer)>;

/// Makes the error body of a status that the server itself answers (400 malformed, 408, 413, 431, 500):
/// each API has its own shape.
using ErrorBody = std::function<Response(int status, std::string_view reason)>;

/// What a request that asks for another protocol comes to: its answer and, where that is 101, who serves the
/// connection from then on. early: what the client sent behind the request.
struct Switch {
    Response answer;
    std::function<net::Task<>(net::Stream stream, base::Bytes early)> serve;
};
/// Looks at each request before the handler does; nullopt: an ordinary one, for the handler.
using Upgrade = std::function<std::optional<Switch>(const Request& request, const net::Peer& peer)>;

/// A net::Serve that speaks HTTP/1.1 with keep-alive. Answers carry Content-Length; only those with a
/// BodySource are chunked (to HTTP/1.0: end with the connection).
/// Expect: 100-continue is honoured. A handler that throws gives 500 and a log line, and closes.
net::Serve serve(Handler handler, ErrorBody error_body, Limits limits = {}, Upgrade upgrade = {});

}  // namespace http
