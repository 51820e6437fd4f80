// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "net/tls.hpp"
#include "pki/openssl.hpp"

/// For net/*.cpp only.
namespace net {

/// What a handshake in progress needs to judge its server, and what it found. Attached to the SSL as app
/// data.
struct Judgement {
    std::shared_ptr<const ClientTls> tls;
    std::optional<pki::PeerName> name;
    base::Instant now;
    pki::Verdict verdict;  ///< out
    bool judged = false;   ///< out: the server got as far as showing its chain
};

/// OpenSSL's certificate callback at clients: asks pki::verify and refuses with the alert that fits the first
/// failed step. RFC 8446 section 6.2.
int judge_server(X509_STORE_CTX* store, void*);

}  // namespace net
