// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "http/message.hpp"
#include "net/connect.hpp"

namespace http {

struct UnixEndpoint {
    std::string path;
};
struct TlsEndpoint {
    net::TlsTarget target;
    std::shared_ptr<const net::ClientTls> tls;
    pki::Verdict* verdict =
        nullptr;  ///< gets every step of the judgement of the server, also where it was refused
};
/// HTTP without TLS, for what proves itself (net::connect_plain).
struct PlainEndpoint {
    std::string host;
    std::uint16_t port = 80;
};
using Endpoint = std::variant<UnixEndpoint, TlsEndpoint, PlainEndpoint>;

/// The largest body of an answer that is taken unless more is asked for.
inline constexpr std::size_t usual_body_limit = 16 * 1024 * 1024;

/// A connection over which one request after another goes, for a peer that is asked often. On its own loop,
/// and one request at a time.
class Connection {
  public:
    static net::Task<base::Result<Connection>> open(Endpoint endpoint, std::chrono::milliseconds limit,
                                                    const base::Clock& clock);
    /// As `http::request`. limit: for this exchange. A failure ends the connection.
    net::Task<base::Result<Response>> ask(Request request, std::chrono::milliseconds limit);
    /// The most that the body of an answer may have.
    void limit_body(std::size_t most) { body_limit_ = most; }
    /// False where it ended, or the peer said that it will.
    bool is_reusable() const { return reusable_; }
    /// True where the last exchange failed before a single byte of its answer came: the peer may have closed
    /// the idle connection meanwhile.
    bool was_silent() const { return silent_; }

  private:
    Connection(net::Stream stream, std::string host, std::string thing);
    net::Task<base::Result<Response>> read_response(bool without_body,
                                                    std::chrono::steady_clock::time_point end);

    net::Stream stream_;
    std::string host_;
    std::string thing_;
    std::size_t body_limit_ = usual_body_limit;
    bool reusable_ = true;
    bool silent_ = false;
};

/// One request over a new connection, closed afterwards. Host, Content-Length and Connection are set here.
/// Any HTTP status is a success; errors are those of the transport (unavailable, timeout, unauthenticated,
/// malformed). limit: for the whole exchange. A body over `body_limit` fails with too_large.
net::Task<base::Result<Response>> request(Endpoint endpoint, Request request, std::chrono::milliseconds limit,
                                          const base::Clock& clock,
                                          std::size_t body_limit = usual_body_limit);

}  // namespace http
