// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/acceptor.hpp"
#include "net/listener.hpp"
#include "net/stream_impl.hpp"
#include "net/tcp_listening.hpp"

namespace net {

namespace asio = boost::asio;

struct TlsListener::Impl {
    std::string name;
    std::uint16_t port = 0;
    Serve serve;
    HandshakeLimits limits;
    std::vector<std::shared_ptr<Socket>> sockets;  // one a loop, each touched there only
    std::mutex mutex;                              // guards `tls`, which any thread may replace
    std::shared_ptr<const ServerTls> tls;

    std::shared_ptr<const ServerTls> current() {
        const std::lock_guard lock(mutex);
        return tls;
    }
};

namespace {

void log_refused(const base::Error& why, const std::string& listener, const std::string& peer) {
    // A peer that leaves before it said a word is a port check, not news.
    const auto level = why.code == base::Code::closed ? base::log::Level::debug : base::log::Level::info;
    base::log::write(level, base::events::connection_refused, why, {{"listener", listener}, {"peer", peer}});
}

Task<> serve_connection(std::shared_ptr<TlsListener::Impl> listener, std::shared_ptr<Stream::Impl> stream,
                        std::unique_ptr<Handshakes::Place> place) {
    const auto status = co_await shake_hands(stream, deadline_after(listener->limits.time));
    place.reset();
    if (!status) {
        if (status.error().code != base::Code::cancelled) {
            log_refused(status.error(), listener->name, stream->peer.address);
        }
        stream->close();
        co_return;
    }
    describe_tls_peer(*stream);
    auto served = listener->serve(Stream(std::move(stream)));
    co_await std::move(served);
}

void start_connection(const std::shared_ptr<TlsListener::Impl>& listener, Loop& loop,
                      const std::shared_ptr<Handshakes>& handshakes, int accepted) {
    OwnedDescriptor owned(accepted);
    asio::ip::tcp::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    if (::getpeername(owned.get(), peer.data(), &size) != 0) std::memset(peer.data(), 0, peer.capacity());
    auto place = handshakes->enter(peer.data());
    if (!place) return;
    const int descriptor = owned.release();
    const int yes = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto socket = Socket::adopt(loop, descriptor);
    if (!socket) return log_refused(socket.error(), listener->name, address_text(peer.data()));
    auto stream = std::make_shared<Stream::Impl>(std::move(*socket));
    stream->peer.address = address_text(peer.data());
    stream->ssl.reset(SSL_new(listener->current()->handle()));
    if (!stream->ssl || SSL_set_fd(stream->ssl.get(), descriptor) != 1) {
        const auto why = pki::openssl_error(base::Code::internal, "connection", "cannot be secured").error();
        return log_refused(why, listener->name, stream->peer.address);
    }
    SSL_set_accept_state(stream->ssl.get());
    start_task(loop, "connection", serve_connection(listener, std::move(stream), std::move(place)), nullptr);
}

}  // namespace

base::Result<std::unique_ptr<TlsListener>> TlsListener::open(Loops& loops, std::string address,
                                                             std::uint16_t port,
                                                             std::shared_ptr<const ServerTls> tls,
                                                             Serve serve, HandshakeLimits limits) {
    SP_TRY(return, auto listening, listen_tcp(loops, address, port));
    auto impl = std::make_shared<Impl>();
    impl->serve = std::move(serve);
    impl->limits = limits;
    impl->tls = std::move(tls);
    impl->sockets = std::move(listening.sockets);
    impl->port = listening.port;
    impl->name = std::move(listening.name);
    // Told by the loop that accepts first: whoever fails before has opened nothing for anybody.
    impl->sockets.front()->loop().post(
        [name = impl->name] { base::log::info(base::events::listener_opened, {{"address", name}}); });
    for (const auto& socket : impl->sockets) {
        Loop& loop = socket->loop();
        loop.post([impl, socket, &loop] {
            auto handshakes = std::make_shared<Handshakes>(loop.impl().context, impl->name,
                                                           impl->limits.at_once, impl->limits.of_one_address);
            auto accepted = [impl, &loop, handshakes](int descriptor) {
                start_connection(impl, loop, handshakes, descriptor);
            };
            start_task(loop, "accept " + impl->name, accept_all(socket, impl->name, accepted, handshakes),
                       nullptr);
        });
    }
    return std::make_unique<TlsListener>(std::move(impl));
}

TlsListener::TlsListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsListener::~TlsListener() {
    close();
}

std::uint16_t TlsListener::port() const {
    return impl_->port;
}

void TlsListener::replace(std::shared_ptr<const ServerTls> tls) {
    const std::lock_guard lock(impl_->mutex);
    impl_->tls = std::move(tls);
}

void TlsListener::close() {
    for (const auto& socket : impl_->sockets) {
        socket->loop().post([socket] { socket->close(); });
    }
}

}  // namespace net
