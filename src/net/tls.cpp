// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include <cstring>

#include "base/result.hpp"
#include "net/judgement.hpp"
#include "pki/openssl.hpp"

namespace net {

namespace {

// TLS 1.3 suites are OpenSSL's own default. For 1.2: forward secrecy and an AEAD, for either kind of server
// key.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

constexpr long kept_sessions = 100'000;
constexpr long session_seconds = 12L * 60 * 60;

base::Result<pki::SslCtxPtr> make_context(const SSL_METHOD* method, std::string thing) {
    pki::clear_openssl_errors();
    pki::SslCtxPtr context(SSL_CTX_new(method));
    if (!context) return pki::openssl_error(base::Code::internal, std::move(thing), "could not be set up");
    SSL_CTX* ctx = context.get();
    // Level 1: keys and signatures of certificates are judged by pki::verify alone, with a reason.
    SSL_CTX_set_security_level(ctx, 1);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, tls12_ciphers) != 1) {
        return pki::openssl_error(base::Code::internal, std::move(thing), "could not be set up");
    }
    return context;
}

/// Presents leaf and intermediates; a self-signed certificate behind the leaf is the root, which a peer has
/// or does not trust.
base::Status present(SSL_CTX* ctx, const pki::Chain& chain, const pki::PrivateKey& key,
                     const std::string& thing) {
    if (!key.matches(chain.front())) {
        return base::fail(base::Code::invalid_argument, thing,
                          "does not belong to the private key (subject " + chain.front().subject() + ")",
                          "give the key that the certificate was issued for");
    }
    if (SSL_CTX_use_certificate(ctx, chain.front().handle()) != 1) {
        return pki::openssl_error(base::Code::invalid_argument, thing, "cannot be used in TLS");
    }
    if (SSL_CTX_use_PrivateKey(ctx, key.handle()) != 1) {
        return pki::openssl_error(base::Code::invalid_argument, "private key of " + thing,
                                  "cannot be used in TLS");
    }
    for (std::size_t link = 1; link < chain.size(); ++link) {
        if (X509_self_signed(chain[link].handle(), 0) == 1) continue;
        if (SSL_CTX_add1_chain_cert(ctx, chain[link].handle()) != 1) {
            return pki::openssl_error(base::Code::invalid_argument, thing, "has an unusable intermediate");
        }
    }
    return {};
}

/// The sessions stay here, with what the peer presented, and a ticket is no more than the name of one:
/// sealing and opening a ticket that holds the session costs OpenSSL 3.0 as much as the handshake that it
/// spares.
void keep_sessions(SSL_CTX* ctx) {
    // The oldest goes when there are too many; looking for expired ones would walk through all of them.
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_cache_size(ctx, kept_sessions);
    SSL_CTX_set_timeout(ctx, session_seconds);
    SSL_CTX_set_num_tickets(ctx, 1);
    // A device that vanishes, as all do in an outage, must find its session again; MQTT and HTTP say
    // themselves where they end.
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

int let_any_certificate_through(X509_STORE_CTX* store, void*) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

int acknowledge_server_name(SSL*, int*, void*) {
    return SSL_TLSEXT_ERR_OK;
}

/// Answers "http/1.1" to whoever offers it (hub.md 1.1); who offers anything else goes on without.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void*) {
    static constexpr unsigned char http[] = "http/1.1";
    constexpr unsigned size = sizeof http - 1;
    for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
        if (in[at] == size && at + size < in_size && std::memcmp(in + at + 1, http, size) == 0) {
            *out = in + at + 1;
            *out_size = size;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

struct ServerTls::Impl {
    pki::SslCtxPtr context;
    pki::Chain chain;
};

base::Result<std::shared_ptr<const ServerTls>> ServerTls::make(pki::Chain chain, const pki::PrivateKey& key,
                                                               Resumption resumption) {
    const std::string thing = "server certificate";
    if (chain.empty()) {
        return base::fail(base::Code::invalid_argument, thing, "is missing",
                          "give the leaf and its intermediates");
    }
    SP_TRY(return, auto context, make_context(TLS_server_method(), thing));
    SSL_CTX* ctx = context.get();
    if (auto presented = present(ctx, chain, key, thing); !presented)
        return std::unexpected(presented.error());
    SSL_CTX_set_num_tickets(ctx, 0);
    if (resumption == Resumption::sessions) keep_sessions(ctx);
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    static constexpr unsigned char session_context[] = "sallyport";
    SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx, let_any_certificate_through, nullptr);
    SSL_CTX_set_tlsext_servername_callback(ctx, acknowledge_server_name);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
    return std::make_shared<const ServerTls>(
        std::make_unique<Impl>(Impl{std::move(context), std::move(chain)}));
}

ServerTls::ServerTls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerTls::~ServerTls() = default;
ssl_ctx_st* ServerTls::handle() const {
    return impl_->context.get();
}
const pki::Chain& ServerTls::chain() const {
    return impl_->chain;
}

struct ClientTls::Impl {
    pki::SslCtxPtr context;
    std::shared_ptr<const pki::TrustBundle> trust;
    pki::Policy policy;
};

base::Result<std::shared_ptr<const ClientTls>> ClientTls::make(Options options) {
    const std::string thing = "client certificate";
    if (!options.trust) {
        return base::fail(base::Code::invalid_argument, "trust bundle", "is missing",
                          "give the roots that the server's chain may end at");
    }
    if (options.chain.empty() != !options.key.has_value()) {
        return base::fail(base::Code::invalid_argument, thing,
                          "comes without its private key, or a key without it", "give both or neither");
    }
    SP_TRY(return, auto context, make_context(TLS_client_method(), "TLS client"));
    SSL_CTX* ctx = context.get();
    if (options.key) {
        if (auto presented = present(ctx, options.chain, *options.key, thing); !presented) {
            return std::unexpected(presented.error());
        }
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx, judge_server, nullptr);
    return std::make_shared<const ClientTls>(
        std::make_unique<Impl>(Impl{std::move(context), std::move(options.trust), options.policy}));
}

ClientTls::ClientTls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientTls::~ClientTls() = default;
ssl_ctx_st* ClientTls::handle() const {
    return impl_->context.get();
}
const pki::TrustBundle& ClientTls::trust() const {
    return *impl_->trust;
}
pki::Policy ClientTls::policy() const {
    return impl_->policy;
}

}  // namespace net
