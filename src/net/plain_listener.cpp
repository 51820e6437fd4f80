// SPDX-License-Identifier: Apache-2.0
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/acceptor.hpp"
#include "net/listener.hpp"
#include "net/stream_impl.hpp"
#include "net/tcp_listening.hpp"

namespace net {

struct PlainListener::Impl {
    Listening listening;
    Serve serve;
    std::size_t most = 0;
};

namespace {

/// The connections of one loop.
struct Open {
    std::size_t count = 0;
};

Task<> serve_plain(std::shared_ptr<PlainListener::Impl> listener, std::shared_ptr<Stream::Impl> stream,
                   std::shared_ptr<Open> open) {
    auto served = listener->serve(Stream(std::move(stream)));
    co_await std::move(served);
    --open->count;
}

void start_plain(const std::shared_ptr<PlainListener::Impl>& listener, Loop& loop,
                 const std::shared_ptr<Open>& open, int accepted) {
    OwnedDescriptor owned(accepted);
    // Strangers may ask here; what they hold open must not become all that there is.
    if (open->count >= listener->most) return;
    boost::asio::ip::tcp::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    if (::getpeername(owned.get(), peer.data(), &size) != 0) std::memset(peer.data(), 0, peer.capacity());
    const int yes = 1;
    ::setsockopt(owned.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto socket = Socket::adopt(loop, owned.release());
    if (!socket) {
        base::log::write(base::log::Level::info, base::events::connection_refused, socket.error(),
                         {{"listener", listener->listening.name}});
        return;
    }
    auto stream = std::make_shared<Stream::Impl>(std::move(*socket));
    stream->peer.address = address_text(peer.data());
    ++open->count;
    start_task(loop, "connection", serve_plain(listener, std::move(stream), open), nullptr);
}

}  // namespace

base::Result<std::unique_ptr<PlainListener>> PlainListener::open(Loops& loops, std::string address,
                                                                 std::uint16_t port, Serve serve,
                                                                 std::size_t most_of_one_loop) {
    auto impl = std::make_shared<Impl>();
    SP_TRY(return, impl->listening, listen_tcp(loops, address, port));
    impl->serve = std::move(serve);
    impl->most = most_of_one_loop;
    impl->listening.sockets.front()->loop().post([name = impl->listening.name] {
        base::log::info(base::events::listener_opened, {{"address", name}, {"tls", "none"}});
    });
    for (const auto& socket : impl->listening.sockets) {
        Loop& loop = socket->loop();
        loop.post([impl, socket, &loop] {
            auto accepted = [impl, &loop, open = std::make_shared<Open>()](int descriptor) {
                start_plain(impl, loop, open, descriptor);
            };
            start_task(loop, "accept " + impl->listening.name,
                       accept_all(socket, impl->listening.name, accepted, nullptr), nullptr);
        });
    }
    return std::make_unique<PlainListener>(std::move(impl));
}

PlainListener::PlainListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
PlainListener::~PlainListener() {
    close();
}

std::uint16_t PlainListener::port() const {
    return impl_->listening.port;
}

void PlainListener::close() {
    for (const auto& socket : impl_->listening.sockets) {
        socket->loop().post([socket] { socket->close(); });
    }
}

}  // namespace net
