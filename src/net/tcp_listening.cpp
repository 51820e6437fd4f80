// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_listening.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.hpp"
#include "net/acceptor.hpp"

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

base::Result<Listening> listen_tcp(Loops& loops, const std::string& address, std::uint16_t port) {
    SP_TRY(return, const auto endpoints, endpoints_of(address));
    Listening listening;
    SP_TRY(return, listening.sockets, open_sockets(loops, endpoints, port));
    listening.port = bound_port(listening.sockets.front()->descriptor());
    listening.name = endpoints.size() == 1 ? name_of({endpoints.front().address(), listening.port})
                                           : both_loopbacks + (":" + std::to_string(listening.port));
    return listening;
}

}  // namespace net
