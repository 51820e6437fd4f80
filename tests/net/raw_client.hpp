// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace net_tests {

/// A raw TCP client on the loopback, for what no TLS client would do.
class RawClient {
  public:
    RawClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    explicit RawClient(std::uint16_t port) : RawClient() { connect(port); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient() { ::close(socket_); }

    bool connect(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        return connected_;
    }
    bool send(std::string_view bytes) const {
        return connected_ && ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                                 static_cast<ssize_t>(bytes.size());
    }
    void end_sending() const { ::shutdown(socket_, SHUT_WR); }
    /// What comes until the server ends the connection.
    std::string read_all() const {
        std::string all;
        char buffer[4096];
        for (;;) {
            const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
            if (got <= 0) return all;
            all.append(buffer, static_cast<std::size_t>(got));
        }
    }
    /// Whether the server has ended it by now, or does within the time.
    bool is_ended(std::chrono::milliseconds within = std::chrono::milliseconds(0)) const {
        pollfd one{socket_, POLLIN, 0};
        ::poll(&one, 1, static_cast<int>(within.count()));
        char byte = 0;
        const auto got = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got == 0 || (got < 0 && errno != EAGAIN);
    }

  private:
    int socket_;
    bool connected_ = false;
};

}  // namespace net_tests
