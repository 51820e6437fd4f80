// SPDX-License-Identifier: Apache-2.0
#include "net/connect.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.hpp"
#include "net/acceptor.hpp"
#include "net/judgement.hpp"
#include "net/stream_impl.hpp"
#include "net/unix_address.hpp"

namespace net {

base::Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return base::fail(
            base::Code::invalid_argument, "socket " + path,
            "has a path of " + std::to_string(path.size()) + " bytes; a Unix socket's has at most 107",
            "choose a shorter --root or socket path");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

namespace {

namespace asio = boost::asio;
using Endpoint = asio::ip::tcp::endpoint;

/// What the resolver's thread answers; outlives a caller that stopped waiting.
struct Resolving {
    explicit Resolving(Context& context) : resolver(context), waiter(context) {}
    asio::ip::tcp::resolver resolver;
    Waiter waiter;
    boost::system::error_code error;
    std::vector<Endpoint> found;
};

Task<base::Result<std::vector<Endpoint>>> resolve(std::string host, std::uint16_t port, SteadyTime deadline) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    boost::system::error_code error;
    const auto literal = asio::ip::make_address(host, error);
    if (!error) co_return std::vector<Endpoint>{Endpoint(literal, port)};
    auto state = std::make_shared<Resolving>(this_loop().impl().context);
    state->resolver.async_resolve(host, std::to_string(port), asio::ip::tcp::resolver::numeric_service,
                                  [state](const boost::system::error_code& failed, const auto& results) {
                                      state->error = failed;
                                      for (const auto& result : results)
                                          state->found.push_back(result.endpoint());
                                      state->waiter.wake();
                                  });
    const Woken end = co_await state->waiter.wait(deadline);
    if (end == Woken::cancelled)
        co_return base::fail(base::Code::cancelled, "host " + host, "was not looked up to the end");
    if (end == Woken::timeout)
        co_return base::fail(base::Code::timeout, "host " + host, "was not resolved in time");
    if (state->error || state->found.empty()) {
        co_return base::fail(base::Code::unavailable, "host " + host,
                             "cannot be resolved: " + state->error.message(),
                             "check the name, DNS and /etc/hosts");
    }
    co_return std::move(state->found);
}

/// One connected socket, as a stream without TLS yet.
Task<base::Result<std::shared_ptr<Stream::Impl>>> connect_to(sockaddr_storage address, socklen_t size,
                                                             std::string thing, SteadyTime deadline) {
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    OwnedDescriptor descriptor(::socket(address.ss_family, type, 0));
    if (descriptor.get() < 0) co_return base::fail_errno(errno, thing, "reached");
    if (address.ss_family != AF_UNIX) {
        const int yes = 1;
        ::setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    int error = 0;
    if (::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) error = errno;
    const int raw = descriptor.get();
    SP_TRY(co_return, auto socket, Socket::adopt(this_loop(), descriptor.release()));
    if (error == EINPROGRESS) {
        auto ready = co_await Socket::wait(socket, Side::writer, Ready::write, deadline);
        if (!ready) {
            const bool late = ready.error().code == base::Code::timeout;
            co_return base::fail(ready.error().code, thing,
                                 late ? "did not answer in time" : "was not reached to the end");
        }
        socklen_t error_size = sizeof error;
        ::getsockopt(raw, SOL_SOCKET, SO_ERROR, &error, &error_size);
    }
    if (error == EACCES || error == EPERM) co_return base::fail_errno(error, thing, "reached");
    if (error != 0) {
        co_return base::fail(base::Code::unavailable, thing,
                             "cannot be reached: " + std::generic_category().message(error));
    }
    co_return std::make_shared<Stream::Impl>(std::move(socket));
}

Task<base::Result<std::shared_ptr<Stream::Impl>>> connect_tcp(TlsTarget target, SteadyTime deadline) {
    SP_TRY(co_return, const auto endpoints, co_await resolve(target.host, target.port, deadline));
    base::Error last;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        sockaddr_storage address{};
        std::memcpy(&address, endpoints[i].data(), endpoints[i].size());
        const std::string thing = "server " + target.host + ":" + std::to_string(target.port);
        const auto now = std::chrono::steady_clock::now();
        const auto left = static_cast<SteadyTime::rep>(endpoints.size() - i);
        const SteadyTime share = deadline == no_deadline ? deadline : now + (deadline - now) / left;
        auto stream = co_await connect_to(address, static_cast<socklen_t>(endpoints[i].size()), thing, share);
        if (stream) {
            (*stream)->peer.address = address_text(endpoints[i].data());
            co_return std::move(*stream);
        }
        last = std::move(stream).error();
        if (last.code == base::Code::cancelled) break;
    }
    co_return std::unexpected(std::move(last));
}

base::Status prepare(Stream::Impl& stream, Judgement& judgement) {
    stream.ssl.reset(SSL_new(judgement.tls->handle()));
    SSL* ssl = stream.ssl.get();
    if (ssl == nullptr || SSL_set_fd(ssl, stream.socket->descriptor()) != 1) {
        return pki::openssl_error(base::Code::internal, "connection", "cannot be secured");
    }
    SSL_set_app_data(ssl, &judgement);
    SSL_set_connect_state(ssl);
    // RFC 6066 section 3: a literal address is never sent as server name.
    if (judgement.name->is_address()) return {};
    if (SSL_set_tlsext_host_name(ssl, judgement.name->text().c_str()) != 1) {
        return pki::openssl_error(base::Code::invalid_argument, "name " + judgement.name->text(),
                                  "cannot be asked for");
    }
    return {};
}

base::Error explain(const base::Error& failure, const TlsTarget& target, const Judgement& judgement) {
    const std::string thing = "server " + target.host + ":" + std::to_string(target.port);
    if (judgement.judged && !judgement.verdict.accepted()) {
        const pki::Step* step = judgement.verdict.first_failure();
        return {base::Code::unauthenticated, thing, "is refused: " + pki::summary(judgement.verdict),
                step != nullptr ? std::string(pki::advice(step->check)) : std::string()};
    }
    if (failure.code == base::Code::timeout || failure.code == base::Code::cancelled) {
        return {failure.code, thing, failure.reason, {}};
    }
    return {base::Code::unavailable,
            thing,
            "did not complete the TLS handshake: connection " + failure.reason,
            {}};
}

Task<base::Result<Connected>> connect_and_judge(TlsTarget target, std::shared_ptr<const ClientTls> tls,
                                                SteadyTime deadline, const base::Clock& clock,
                                                pki::Verdict* verdict) {
    const std::string name = target.name.empty() ? target.host : target.name;
    SP_TRY(co_return, auto stream, co_await connect_tcp(target, deadline));
    Judgement judgement{
        .tls = std::move(tls), .name = pki::PeerName::parse(name), .now = clock.now(), .verdict = {}};
    if (auto prepared = prepare(*stream, judgement); !prepared) co_return std::unexpected(prepared.error());
    const auto status = co_await shake_hands(stream, deadline);
    SSL_set_app_data(stream->ssl.get(), nullptr);
    if (verdict != nullptr) *verdict = judgement.verdict;
    if (!status) {
        auto why = explain(status.error(), target, judgement);
        stream->close();
        co_return std::unexpected(std::move(why));
    }
    describe_tls_peer(*stream);
    co_return Connected{Stream(std::move(stream)), std::move(judgement.verdict)};
}

Task<base::Result<Stream>> connect_without_tls(TlsTarget target, SteadyTime deadline) {
    auto stream = co_await connect_tcp(std::move(target), deadline);
    if (!stream) co_return std::unexpected(std::move(stream).error());
    co_return Stream(std::move(*stream));
}

Task<base::Result<Stream>> connect_to_path(std::string path, SteadyTime deadline) {
    SP_TRY(co_return, const sockaddr_un address, unix_address(path));
    sockaddr_storage storage{};
    std::memcpy(&storage, &address, sizeof address);
    auto stream = co_await connect_to(storage, sizeof address, "socket " + path, deadline);
    if (!stream) co_return std::unexpected(std::move(stream).error());
    Peer& peer = (*stream)->peer;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt((*stream)->socket->descriptor(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
        peer.process = credentials.pid;
        peer.user = credentials.uid;
        peer.group = credentials.gid;
    }
    peer.address = "unix";
    co_return Stream(std::move(*stream));
}

}  // namespace

Task<base::Result<Connected>> connect_tls(TlsTarget target, std::shared_ptr<const ClientTls> tls,
                                          std::chrono::milliseconds limit, const base::Clock& clock,
                                          pki::Verdict* verdict) {
    return connect_and_judge(std::move(target), std::move(tls), deadline_after(limit), clock, verdict);
}

Task<base::Result<Stream>> connect_plain(std::string host, std::uint16_t port,
                                         std::chrono::milliseconds limit) {
    return connect_without_tls(TlsTarget{std::move(host), port, {}}, deadline_after(limit));
}

Task<base::Result<Stream>> connect_unix(std::string path, std::chrono::milliseconds limit) {
    return connect_to_path(std::move(path), deadline_after(limit));
}

}  // namespace net
