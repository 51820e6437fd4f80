// SPDX-License-Identifier: Apache-2.0
// At most so many connections of one user at a time (edge-runtime.md 0.4).
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "running_device.hpp"

namespace {

using namespace edge_test;

/// A caller that connects and says nothing.
class SilentCaller {
  public:
    explicit SilentCaller(const std::string& path)
        : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof address.sun_path));
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        const timeval limit{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    SilentCaller(SilentCaller&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
    ~SilentCaller() {
        if (socket_ >= 0) ::close(socket_);
    }
    bool connected() const { return connected_; }
    /// Waits for what the service does: true where it closed without a word.
    bool is_closed_without_a_word() const {
        char octet = 0;
        return ::recv(socket_, &octet, 1, 0) == 0;
    }
    /// True where the connection is open and nothing has come.
    bool is_open() const {
        char octet = 0;
        return ::recv(socket_, &octet, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }

  private:
    int socket_;
    bool connected_ = false;
};

/// Whether a question is answered, sooner or later: a connection that was closed frees its place a moment
/// after.
bool is_answered_again(const std::string& socket) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
        try {
            return ask(socket, http::Verb::get, "/trust-bundle", {}, "2020-07-07").status == 200;
        } catch (const std::runtime_error&) {
            continue;  // closed without an answer
        }
    }
    return false;
}

// The sockets of modules, since nobody but the test calls there.
TEST(ConnectionLimit, OneMoreThanAUserMayHaveIsClosedAtOnce) {
    RunningDevice device({.more = "[iotedge_max_requests]\nworkload = 3\n[[principal]]\nname = \"mod1\"\n"
                                  "uid = 4001\nidtype = [\"module\"]\n"});
    device.wait_until_ready();
    const auto socket = device.module_socket("$edgeHub");
    std::vector<SilentCaller> callers;
    for (int i = 0; i < 3; ++i) {
        callers.emplace_back(socket);
        ASSERT_TRUE(callers.back().connected());
    }
    const SilentCaller over(socket);
    ASSERT_TRUE(over.connected());
    EXPECT_TRUE(over.is_closed_without_a_word());
    for (const auto& each : callers) EXPECT_TRUE(each.is_open());
    // Another socket has a count of its own.
    EXPECT_EQ(ask(device.module_socket("mod1"), http::Verb::get, "/trust-bundle", {}, "2020-07-07").status,
              200);
    callers.pop_back();
    EXPECT_TRUE(is_answered_again(socket));
}

TEST(ConnectionLimit, IsTenUnlessConfigured) {
    RunningDevice device({});
    device.wait_until_ready();
    const auto socket = device.module_socket("$edgeHub");
    std::vector<SilentCaller> callers;
    for (int i = 0; i < 10; ++i) callers.emplace_back(socket);
    const SilentCaller over(socket);
    EXPECT_TRUE(over.is_closed_without_a_word());
    for (const auto& each : callers) EXPECT_TRUE(each.is_open());
}

}  // namespace
