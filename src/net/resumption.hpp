// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/stream.hpp"
#include "pki/openssl.hpp"

/// Session tickets of a TLS server (RFC 8446 4.6.1, RFC 5077). A ticket holds what the peer presented, so
/// that whoever resumes is judged by the same chain as at first. For net/*.cpp only.
namespace net {

/// Lets clients resume, with tickets under a key that lives and dies with the context.
void allow_resumption(SSL_CTX* context);

/// The intermediates that the peer presented when the session began; OpenSSL itself keeps the leaf alone.
void append_kept_intermediates(const SSL* ssl, pki::Chain& chain);

}  // namespace net
