// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
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
using Endpoint = std::variant<UnixEndpoint, TlsEndpoint>;

/// One request over a new connection, closed afterwards. Host, Content-Length and Connection are set here.
/// Any HTTP status is a success; errors are those of the transport (unavailable, timeout, unauthenticated,
/// malformed). limit: for the whole exchange. The answer's body is at most 16 MiB.
net::Task<base::Result<Response>> request(Endpoint endpoint, Request request, std::chrono::milliseconds limit,
                                          const base::Clock& clock);

}  // namespace http
