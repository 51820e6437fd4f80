// SPDX-License-Identifier: Apache-2.0
#include "net/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

#include <gmock/gmock.h>

#include "support/temporary_directory.hpp"
#include "tls_fixture.hpp"

namespace net_tests {
namespace {

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

/// A socket at `path`, as the service manager makes it.
int bound(const std::string& path, int type) {
    const int socket = ::socket(AF_UNIX, type, 0);
    const auto address = address_of(path);
    EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
}

/// Descriptor 3 is what a service manager passes first; whoever has it here gets it back.
struct ServiceManager : testing::Test {
    support::TemporaryDirectory directory;
    std::string path = directory / "keyd.sock";
    int saved = ::fcntl(3, F_DUPFD_CLOEXEC, 100);

    void pass(int socket, pid_t to = ::getpid()) {
        ASSERT_EQ(::dup2(socket, 3), 3);
        if (socket != 3) ::close(socket);
        ::setenv("LISTEN_PID", std::to_string(to).c_str(), 1);
        ::setenv("LISTEN_FDS", "1", 1);
    }
    ~ServiceManager() override {
        for (const auto* name : {"LISTEN_PID", "LISTEN_FDS", "NOTIFY_SOCKET"}) ::unsetenv(name);
        ::close(3);
        if (saved >= 0) {
            ::dup2(saved, 3);
            ::close(saved);
        }
    }
};

int listening(const std::string& path) {
    const int socket = bound(path, SOCK_STREAM);
    EXPECT_EQ(::listen(socket, 4), 0);
    return socket;
}

TEST_F(ServiceManager, PassesASocketThatListensAtThePath) {
    pass(listening(path));
    const auto passed = net::passed_listener(path);
    ASSERT_TRUE(passed);
    EXPECT_NE(*passed, 3);
    EXPECT_NE(::fcntl(*passed, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(*passed, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(3, F_GETFD) & FD_CLOEXEC, 0);
    ::close(*passed);
    const auto again = net::passed_listener(path);
    EXPECT_TRUE(again);
    if (again) ::close(*again);
}

TEST_F(ServiceManager, PassesNothingForAnotherPath) {
    pass(listening(path));
    EXPECT_FALSE(net::passed_listener(directory / "certd.sock"));
    EXPECT_FALSE(net::passed_listener(path + "x"));
}

TEST_F(ServiceManager, PassesNothingToAChildOfWhomItStarted) {
    pass(listening(path), ::getpid() + 1);
    EXPECT_FALSE(net::passed_listener(path));
}

TEST_F(ServiceManager, PassesNoSocketThatDoesNotListenAndNoOtherKind) {
    pass(bound(path, SOCK_STREAM));
    EXPECT_FALSE(net::passed_listener(path));
    const std::string datagrams = directory / "datagrams.sock";
    pass(bound(datagrams, SOCK_DGRAM));
    EXPECT_FALSE(net::passed_listener(datagrams));
}

TEST_F(ServiceManager, ANumberThatIsNoneIsNoDescriptor) {
    pass(listening(path));
    for (const auto* count : {"", "0", "-1", "1x", "99999999999999999999", "65"}) {
        ::setenv("LISTEN_FDS", count, 1);
        EXPECT_FALSE(net::passed_listener(path)) << count;
    }
}

TEST_F(ServiceManager, AListenerServesThePassedSocketAndLeavesItsFile) {
    pass(listening(path));
    ::chmod(path.c_str(), 0640);
    struct stat before{}, after{};
    ASSERT_EQ(::lstat(path.c_str(), &before), 0);
    support::ServingLoops serving{1};
    {
        const auto listener = net::UnixListener::open(serving.first(), path, 0660, echo);
        ASSERT_TRUE(listener) << listener.error().text();
        const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
        const auto address = address_of(path);
        ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::send(client, "hello", 5, MSG_NOSIGNAL), 5);
        char answer[5];
        ASSERT_EQ(::recv(client, answer, 5, MSG_WAITALL), 5);
        EXPECT_EQ(std::string_view(answer, 5), "hello");
        ::close(client);
    }
    ASSERT_EQ(::lstat(path.c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_EQ(after.st_mode & 07777, 0640U);
}

TEST_F(ServiceManager, IsToldThatTheServiceIsReady) {
    const int manager = bound(path, SOCK_DGRAM);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ASSERT_TRUE(net::notify_ready());
    char said[64];
    const auto size = ::recv(manager, said, sizeof said, MSG_DONTWAIT);
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string_view(said, static_cast<std::size_t>(size)), "READY=1");
    ::close(manager);
}

TEST_F(ServiceManager, WithoutOneNothingIsTold) {
    EXPECT_TRUE(net::notify_ready());
    ::setenv("NOTIFY_SOCKET", (directory / "nobody").c_str(), 1);
    EXPECT_FALSE(net::notify_ready());
    ::setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
    EXPECT_EQ(net::notify_ready().error().code, base::Code::invalid_argument);
}

}  // namespace
}  // namespace net_tests
