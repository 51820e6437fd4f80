// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/verify.hpp"

struct ssl_ctx_st;

namespace net {

/// Whether clients may resume their sessions (RFC 8446 2.2): it spares a reconnect most of the handshake's
/// cost and costs memory for each session that is kept, of the last 100,000.
enum class Resumption { none, sessions };

/// What a TLS server presents and requires: TLS 1.2 and 1.3, released buffers, sessions resumed only where
/// resumption is asked for. A client certificate is requested with an empty CA list, never required; any is
/// let through once its possession is proven, since trust is decided when the claimed identity is known
/// (hub.md 1.3). Immutable; replaced whole.
class ServerTls {
  public:
    /// chain: leaf, then intermediates; self-signed certificates behind the leaf are left out on the wire.
    static base::Result<std::shared_ptr<const ServerTls>> make(pki::Chain chain, const pki::PrivateKey& key,
                                                               Resumption resumption = Resumption::none);
    ssl_ctx_st* handle() const;
    const pki::Chain& chain() const;
    struct Impl;
    explicit ServerTls(std::unique_ptr<Impl> impl);
    ~ServerTls();

  private:
    std::unique_ptr<Impl> impl_;
};

/// How a TLS client judges the server and what it presents. The judgement is pki::verify, purpose server,
/// inside the handshake, so that a refused server sees no application data and the caller gets all steps.
class ClientTls {
  public:
    struct Options {
        std::shared_ptr<const pki::TrustBundle> trust;
        pki::Chain chain;                    ///< client certificate with intermediates; may be empty
        std::optional<pki::PrivateKey> key;  ///< belongs to chain
        pki::Policy policy = pki::Policy::azure;
    };
    static base::Result<std::shared_ptr<const ClientTls>> make(Options options);
    ssl_ctx_st* handle() const;
    const pki::TrustBundle& trust() const;
    pki::Policy policy() const;
    struct Impl;
    explicit ClientTls(std::unique_ptr<Impl> impl);
    ~ClientTls();

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace net
