// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/acceptor.hpp"
#include "net/listener.hpp"
#include "net/stream_impl.hpp"

namespace net {

namespace {

namespace asio = boost::asio;

constexpr int backlog = 4096;
constexpr const char* both_loopbacks = "localhost";
constexpr int most_tries = 16;  // for a free port that both loopback addresses have

enum class Sharing { exclusive, among_loops };

std::string name_of(const asio::ip::tcp::endpoint& endpoint) {
    const auto address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(endpoint.port());
}

base::Result<OwnedDescriptor> bound_socket(const asio::ip::tcp::endpoint& endpoint, Sharing sharing) {
    const std::string thing = "listener " + name_of(endpoint);
    const int family = endpoint.address().is_v6() ? AF_INET6 : AF_INET;
    OwnedDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return base::fail_errno(errno, thing, "opened");
    const int yes = 1;
    const int no = 0;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (sharing == Sharing::among_loops)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    if (family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) return socket;
    const int error = errno;
    const std::string port = std::to_string(endpoint.port());
    if (error == EADDRINUSE) {
        return base::fail(
            base::Code::address_in_use, thing,
            "cannot be opened: port " + port + " is taken by another process",
            "stop that process (ss -ltnp sport = :" + port + " names it) or choose another port");
    }
    if (error == EACCES) {
        return base::fail(base::Code::permission_denied, thing,
                          "cannot be opened: port " + port + " is privileged",
                          "choose a port of 1024 or above, or give the program CAP_NET_BIND_SERVICE");
    }
    if (error == EADDRNOTAVAIL) {
        return base::fail(base::Code::invalid_argument, thing,
                          "cannot be opened: this machine has no such address",
                          "listen on 0.0.0.0 or an address that `ip address` shows");
    }
    return base::fail_errno(error, thing, "bound");
}

/// Whether this machine has the address: a container often lacks ::1.
bool has_address(const asio::ip::address& address) {
    return bound_socket({address, 0}, Sharing::exclusive).has_value();
}

base::Result<std::vector<asio::ip::tcp::endpoint>> endpoints_of(const std::string& address) {
    if (address == both_loopbacks) {
        std::vector<asio::ip::tcp::endpoint> both{{asio::ip::address_v4::loopback(), 0}};
        if (const asio::ip::address six = asio::ip::address_v6::loopback(); has_address(six))
            both.emplace_back(six, 0);
        return both;
    }
    boost::system::error_code error;
    const auto parsed = asio::ip::make_address(address, error);
    if (error) {
        return base::fail(base::Code::invalid_argument, "listen address " + address, "is not an IP address",
                          "give an address such as 0.0.0.0, :: or 127.0.0.1");
    }
    return std::vector<asio::ip::tcp::endpoint>{{parsed, 0}};
}

std::uint16_t bound_port(int socket) {
    asio::ip::tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    ::getsockname(socket, endpoint.data(), &size);
    return endpoint.port();
}

}  // namespace

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

namespace {

using Sockets = std::vector<std::shared_ptr<Socket>>;

base::Result<Sockets> open_once(Loops& loops, std::vector<asio::ip::tcp::endpoint> endpoints,
                                std::uint16_t port) {
    Sockets sockets;
    for (auto& endpoint : endpoints) {
        endpoint.port(port);
        if (port != 0) {
            SP_TRY(return, const auto probe, bound_socket(endpoint, Sharing::exclusive));
        }
        for (std::size_t index = 0; index < loops.size(); ++index) {
            SP_TRY(return, auto descriptor, bound_socket(endpoint, Sharing::among_loops));
            if (::listen(descriptor.get(), backlog) != 0) {
                return base::fail_errno(errno, "listener " + name_of(endpoint), "opened");
            }
            port = bound_port(descriptor.get());
            endpoint.port(port);
            SP_TRY(return, auto socket, Socket::adopt(loops.at(index), descriptor.release()));
            sockets.push_back(std::move(socket));
        }
    }
    return sockets;
}

/// One a loop and address, all on the same port.
base::Result<Sockets> open_sockets(Loops& loops, const std::vector<asio::ip::tcp::endpoint>& endpoints,
                                   std::uint16_t port) {
    auto sockets = open_once(loops, endpoints, port);
    // What was free at the first address may be taken at the second.
    for (int tries = 1; tries < most_tries && port == 0 && !sockets; ++tries) {
        if (sockets.error().code != base::Code::address_in_use) break;
        sockets = open_once(loops, endpoints, port);
    }
    return sockets;
}

}  // namespace

base::Result<std::unique_ptr<TlsListener>> TlsListener::open(Loops& loops, std::string address,
                                                             std::uint16_t port,
                                                             std::shared_ptr<const ServerTls> tls,
                                                             Serve serve, HandshakeLimits limits) {
    SP_TRY(return, const auto endpoints, endpoints_of(address));
    auto impl = std::make_shared<Impl>();
    impl->serve = std::move(serve);
    impl->limits = limits;
    impl->tls = std::move(tls);
    SP_TRY(return, impl->sockets, open_sockets(loops, endpoints, port));
    impl->port = bound_port(impl->sockets.front()->descriptor());
    impl->name = endpoints.size() == 1 ? name_of({endpoints.front().address(), impl->port})
                                       : both_loopbacks + (":" + std::to_string(impl->port));
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
