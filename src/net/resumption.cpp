// SPDX-License-Identifier: Apache-2.0
#include "net/resumption.hpp"

#include <string>

namespace net {

namespace {

constexpr long lifetime_seconds = 12L * 60 * 60;
/// With more than this a ticket would not fit a first flight; such peers shake hands in full each time.
constexpr std::size_t most_octets = 8 * 1024;
constexpr std::string_view too_large = "-";

/// Certificates as DER, one behind the other: DER says itself how long it is.
std::string der_of(const STACK_OF(X509) * chain) {
    std::string all;
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        unsigned char* der = nullptr;
        const int size = i2d_X509(sk_X509_value(chain, i), &der);
        if (size <= 0 || all.size() + static_cast<std::size_t>(size) > most_octets) {
            OPENSSL_free(der);
            return std::string(too_large);
        }
        all.append(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
        OPENSSL_free(der);
    }
    return all;
}

std::string_view kept(SSL_SESSION* session) {
    void* data = nullptr;
    std::size_t size = 0;
    if (session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1) return {};
    return {static_cast<const char*>(data), size};
}

int keep_intermediates(SSL* ssl, void*) {
    if (SSL_session_reused(ssl) == 1) return 1;  // the session has them already
    const auto der = der_of(SSL_get_peer_cert_chain(ssl));
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), der.data(), der.size());
}

SSL_TICKET_RETURN use_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t,
                             SSL_TICKET_STATUS status, void*) {
    switch (status) {
        case SSL_TICKET_SUCCESS:
        case SSL_TICKET_SUCCESS_RENEW:
            return kept(session) == too_large ? SSL_TICKET_RETURN_IGNORE : SSL_TICKET_RETURN_USE;
        case SSL_TICKET_EMPTY:
        case SSL_TICKET_NO_DECRYPT:
            return SSL_TICKET_RETURN_IGNORE_RENEW;
        default:
            return SSL_TICKET_RETURN_ABORT;
    }
}

}  // namespace

void allow_resumption(SSL_CTX* context) {
    SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_timeout(context, lifetime_seconds);
    SSL_CTX_set_session_ticket_cb(context, keep_intermediates, use_ticket, nullptr);
}

void append_kept_intermediates(const SSL* ssl, pki::Chain& chain) {
    if (SSL_session_reused(ssl) != 1) return;
    const auto der = kept(SSL_get_session(ssl));
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = at + der.size();
    while (at < end) {
        const pki::X509Ptr certificate(d2i_X509(nullptr, &at, end - at));
        if (!certificate) break;
        chain.push_back(pki::Certificate::share(certificate.get()));
    }
    pki::clear_openssl_errors();
}

}  // namespace net
