// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace http_tests {

/// Sends bytes as they stand over a Unix socket, and shows the bytes that come back.
class RawClient {
  public:
    explicit RawClient(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient() { ::close(socket_); }

    bool send(std::string_view bytes) const {
        while (connected_ && !bytes.empty()) {
            const auto put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (put <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        return connected_;
    }
    void end_sending() const { ::shutdown(socket_, SHUT_WR); }
    /// Until the server ends the connection.
    std::string read_all() {
        while (receive()) {
        }
        return std::move(received_);
    }
    /// Up to and with `text`; what came where the server ends before.
    std::string read_until(std::string_view text) {
        for (;;) {
            const auto at = received_.find(text);
            if (at != std::string::npos) {
                auto head = received_.substr(0, at + text.size());
                received_.erase(0, at + text.size());
                return head;
            }
            if (!receive()) return std::move(received_);
        }
    }

  private:
    bool receive() {
        char buffer[4096];
        const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
        if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
        return got > 0;
    }
    int socket_;
    bool connected_ = false;
    std::string received_;
};

}  // namespace http_tests
