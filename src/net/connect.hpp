// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "net/stream.hpp"

namespace net {

struct TlsTarget {
    std::string host;  ///< where to connect: a DNS name or an address
    std::uint16_t port;
    std::string name;  ///< the name that the certificate must have, and SNI (not sent for an address)
};

/// What a client learnt about the server: all steps, also where it was refused.
struct Connected {
    Stream stream;
    pki::Verdict verdict;
};

/// Connects, shakes hands and judges the server by `pki::verify`. A refused server fails with
/// `unauthenticated` and the first failed step as reason; `verdict`, where given, gets all steps in either
/// case.
Task<base::Result<Connected>> connect_tls(TlsTarget target, std::shared_ptr<const ClientTls> tls,
                                          std::chrono::milliseconds limit, const base::Clock& clock,
                                          pki::Verdict* verdict = nullptr);

/// Without TLS: what comes over it proves itself or is worth nothing.
Task<base::Result<Stream>> connect_plain(std::string host, std::uint16_t port,
                                         std::chrono::milliseconds limit);

Task<base::Result<Stream>> connect_unix(std::string path, std::chrono::milliseconds limit);

}  // namespace net
