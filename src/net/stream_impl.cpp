// SPDX-License-Identifier: Apache-2.0
#include "net/stream_impl.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

namespace net {

namespace {

Attempt done(std::size_t count) {
    return {Attempt::Kind::done, count, {}};
}
Attempt want(Attempt::Kind kind) {
    return {kind, 0, {}};
}

Attempt failed(base::Code code, std::string reason) {
    return {Attempt::Kind::failed, 0, base::Error{code, "connection", std::move(reason), {}}};
}

Attempt ended_by_peer() {
    return failed(base::Code::closed, "was ended by the peer");
}

Attempt failed_errno(int number, std::string_view doing) {
    if (number == EPIPE || number == ECONNRESET) return failed(base::Code::closed, "was reset by the peer");
    return {Attempt::Kind::failed, 0, base::fail_errno(number, "connection", doing).error()};
}

}  // namespace

Attempt Stream::Impl::ssl_attempt(int result, std::string_view doing) {
    const int saved = errno;
    switch (SSL_get_error(ssl.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return want(Attempt::Kind::want_read);
        case SSL_ERROR_WANT_WRITE:
            return want(Attempt::Kind::want_write);
        case SSL_ERROR_ZERO_RETURN:
            return ended_by_peer();
        case SSL_ERROR_SYSCALL:
            established = false;
            pki::clear_openssl_errors();
            return saved == 0 ? ended_by_peer() : failed_errno(saved, doing);
        default:
            break;
    }
    established = false;
    std::string text = pki::take_openssl_error_text();
    // An end without close_notify: for us the same as an orderly one, since both our protocols frame
    // themselves.
    if (text == "unexpected eof while reading") return ended_by_peer();
    return failed(base::Code::io, "broke the TLS protocol: " + std::move(text));
}

Attempt Stream::Impl::try_read(std::span<std::byte> into, bool peek) {
    if (into.empty()) return done(0);
    if (ssl) {
        pki::clear_openssl_errors();
        errno = 0;
        std::size_t count = 0;
        const int result = peek ? SSL_peek_ex(ssl.get(), into.data(), into.size(), &count)
                                : SSL_read_ex(ssl.get(), into.data(), into.size(), &count);
        return result == 1 ? done(count) : ssl_attempt(result, "read");
    }
    for (;;) {
        const auto got = ::recv(socket->descriptor(), into.data(), into.size(), peek ? MSG_PEEK : 0);
        if (got > 0) return done(static_cast<std::size_t>(got));
        if (got == 0) return ended_by_peer();
        if (errno == EAGAIN) return want(Attempt::Kind::want_read);
        if (errno != EINTR) return failed_errno(errno, "read");
    }
}

Attempt Stream::Impl::try_write(std::span<const std::byte> bytes) {
    if (ssl) {
        pki::clear_openssl_errors();
        errno = 0;
        std::size_t count = 0;
        const int result = SSL_write_ex(ssl.get(), bytes.data(), bytes.size(), &count);
        return result == 1 ? done(count) : ssl_attempt(result, "written");
    }
    for (;;) {
        const auto put = ::send(socket->descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (put >= 0) return done(static_cast<std::size_t>(put));
        if (errno == EAGAIN) return want(Attempt::Kind::want_write);
        if (errno != EINTR) return failed_errno(errno, "written");
    }
}

Attempt Stream::Impl::try_handshake() {
    pki::clear_openssl_errors();
    errno = 0;
    const int result = SSL_do_handshake(ssl.get());
    return result == 1 ? done(0) : ssl_attempt(result, "secured");
}

void Stream::Impl::send_close_notify() {
    if (!ssl || !established) return;
    established = false;
    pki::clear_openssl_errors();
    SSL_shutdown(ssl.get());
    pki::clear_openssl_errors();
}

void Stream::Impl::close() {
    if (!socket->is_open()) return;
    send_close_notify();
    socket->close();
}

Task<base::Status> shake_hands(std::shared_ptr<Stream::Impl> stream, SteadyTime deadline) {
    for (;;) {
        Attempt attempt = stream->try_handshake();
        if (attempt.kind == Attempt::Kind::done) break;
        if (attempt.kind == Attempt::Kind::failed) co_return std::unexpected(std::move(attempt.error));
        const Ready ready = attempt.kind == Attempt::Kind::want_read ? Ready::read : Ready::write;
        auto status = co_await Socket::wait(stream->socket, Side::reader, ready, deadline);
        if (!status) {
            if (status.error().code == base::Code::timeout) {
                status.error().reason = "did not finish the TLS handshake in time";
            }
            co_return status;
        }
    }
    stream->established = true;
    co_return base::Status{};
}

void describe_tls_peer(Stream::Impl& stream) {
    SSL* ssl = stream.ssl.get();
    Peer& peer = stream.peer;
    peer.tls_version = SSL_get_version(ssl);
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) peer.server_name = name;
    X509* leaf = SSL_get0_peer_certificate(ssl);
    if (leaf == nullptr) return;
    peer.certificates.push_back(pki::Certificate::share(leaf));
    STACK_OF(X509)* chain =
        SSL_get_peer_cert_chain(ssl);  // with the leaf at a client, without it at a server
    for (int i = SSL_is_server(ssl) ? 0 : 1; i < sk_X509_num(chain); ++i) {
        peer.certificates.push_back(pki::Certificate::share(sk_X509_value(chain, i)));
    }
}

std::string address_text(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address->sa_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
        inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
        return std::string(text.data()) + ":" + std::to_string(ntohs(v4->sin_port));
    }
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text.data(), text.size());
        return std::string(text.data()) + ":" + std::to_string(ntohs(v6->sin6_port));
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6->sin6_port));
}

}  // namespace net
