// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "est/client_answer.hpp"
#include "est/client_retry.hpp"
#include "est/client_url.hpp"
#include "est/message.hpp"
#include "net/task.hpp"
#include "pki/key.hpp"

namespace est {

/// An EST server, and the anchors for its TLS certificate and for what it issues.
struct Server {
    Url url;
    std::shared_ptr<const pki::TrustBundle> trust;
};

/// As whom it is asked: by certificate, by password, or both. The key may live elsewhere
/// (pki/callback_key.hpp).
struct Caller {
    pki::Chain chain{};
    std::optional<pki::PrivateKey> key{};  ///< belongs to chain
    std::string user{};                    ///< empty: no password
    std::shared_ptr<const base::SecretBytes> password{};
};

struct Deadlines {
    std::chrono::milliseconds connect{20'000};  ///< connection and handshake
    std::chrono::milliseconds whole{60'000};
};

template <class T>
using Outcome = std::expected<T, Failure>;

/// GET /cacerts (RFC 7030 4.1): the CA certificates, as path material and not as anchors. One redirect to the
/// same origin is followed.
net::Task<Outcome<pki::Chain>> authorities(Server server, Caller caller, const base::Clock& clock,
                                           Deadlines deadlines = {});

/// POST /simpleenroll or /simplereenroll (RFC 7030 4.2) of a request in DER, with /cacerts before it on the
/// same connection. What comes back has passed `check_issued`.
net::Task<Outcome<Issued>> enroll(Server server, Caller caller, Operation operation, base::Bytes request,
                                  Wanted wanted, const base::Clock& clock, Deadlines deadlines = {});

}  // namespace est
