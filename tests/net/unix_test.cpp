// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include <gmock/gmock.h>

#include "support/temporary_directory.hpp"
#include "tls_fixture.hpp"

namespace net_tests {
namespace {

using testing::HasSubstr;

struct UnixTest : testing::Test {
    support::TemporaryDirectory directory;
    std::string path = directory / "workload.sock";
    support::ServingLoops serving{1};

    base::Result<std::unique_ptr<net::UnixListener>> listen(net::Serve serve = echo, mode_t mode = 0660) {
        return net::UnixListener::open(serving.first(), path, mode, std::move(serve));
    }
};

net::Task<base::Result<std::string>> say(std::string path, std::string text) {
    auto stream = co_await net::connect_unix(path, generous);
    if (!stream) co_return std::unexpected(stream.error());
    const auto written = co_await stream->write_all(bytes_of(text), generous);
    if (!written) co_return std::unexpected(written.error());
    auto echoed = co_await read_exactly(*stream, text.size());
    co_return echoed;
}

net::Task<> tell_local_peer(net::Stream stream, std::promise<net::Peer>& peer) {
    peer.set_value(stream.peer());
    co_await stream.readable(generous);
}

net::Task<base::Status> visit(std::string path) {
    const auto stream = co_await net::connect_unix(path, generous);
    if (!stream) co_return std::unexpected(stream.error());
    co_return base::Status{};
}

mode_t mode_of(const std::string& path) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

/// A socket file that nobody listens on, as a killed process leaves it.
void leave_stale_socket(const std::string& path) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(socket);
}

TEST_F(UnixTest, EchoesBothWays) {
    const auto listener = listen();
    ASSERT_TRUE(listener) << listener.error().text();
    const std::string text(60'000, 'u');  // fits the buffers of both directions
    const auto echoed = net::run_task_for(say(path, text));
    ASSERT_TRUE(echoed) << echoed.error().text();
    EXPECT_EQ(*echoed, text);
}

TEST_F(UnixTest, KnowsTheProcessAtTheOtherEnd) {
    std::promise<net::Peer> promise;
    const auto listener =
        listen([&](net::Stream stream) { return tell_local_peer(std::move(stream), promise); });
    ASSERT_TRUE(listener) << listener.error().text();
    const auto connected = net::run_task_for(visit(path));
    ASSERT_TRUE(connected) << connected.error().text();
    const auto peer = promise.get_future().get();
    EXPECT_EQ(peer.address, "unix");
    EXPECT_EQ(peer.process, ::getpid());
    EXPECT_EQ(peer.user, ::getuid());
    EXPECT_EQ(peer.group, ::getgid());
    EXPECT_EQ(peer.local_path, path);
    EXPECT_TRUE(peer.certificates.empty());
}

TEST_F(UnixTest, TheSocketHasItsModeWhateverTheUmask) {
    for (const mode_t mode : {0600, 0660, 0666}) {
        const mode_t before = ::umask(0077);
        const auto listener = listen(echo, mode);
        ::umask(before);
        ASSERT_TRUE(listener) << listener.error().text();
        EXPECT_EQ(mode_of(path), mode);
    }
}

TEST_F(UnixTest, ReplacesAStaleSocket) {
    leave_stale_socket(path);
    const auto listener = listen();
    ASSERT_TRUE(listener) << listener.error().text();
    EXPECT_TRUE(net::run_task_for(say(path, "hello")));
}

TEST_F(UnixTest, LeavesALiveSocketAlone) {
    const auto first = listen();
    const auto second = listen();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::Code::address_in_use);
    EXPECT_TRUE(net::run_task_for(say(path, "hello")));
}

TEST_F(UnixTest, LeavesAFileThatIsNoSocketAlone) {
    std::ofstream(path) << "precious";
    const auto listener = listen();
    ASSERT_FALSE(listener);
    EXPECT_THAT(listener.error().text(), HasSubstr(path));
    EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(UnixTest, RemovesItsFileAtTheEnd) {
    {
        const auto listener = listen();
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UnixTest, DoesNotRemoveTheFileOfItsSuccessor) {
    auto first = listen();
    ASSERT_TRUE(first);
    ::unlink(path.c_str());
    const auto second = listen();
    ASSERT_TRUE(second) << second.error().text();
    first->reset();
    EXPECT_TRUE(net::run_task_for(say(path, "hello")));
}

TEST_F(UnixTest, RefusesAPathThatDoesNotFitWithTheRemedy) {
    path = directory / std::string(120, 'p');
    const auto listener = listen();
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, base::Code::invalid_argument);
    EXPECT_THAT(listener.error().text(), HasSubstr("107"));
    EXPECT_THAT(listener.error().fix, HasSubstr("shorter"));
}

TEST_F(UnixTest, TellsThatADirectoryIsMissing) {
    path = directory / "missing" / "x.sock";
    const auto listener = listen();
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, base::Code::not_found);
    EXPECT_THAT(listener.error().text(), HasSubstr(path));
}

TEST_F(UnixTest, TellsThatNobodyServesASocket) {
    const auto missing = net::run_task_for(say(path, "hello"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, base::Code::unavailable);
    EXPECT_THAT(missing.error().text(), HasSubstr(path));
    leave_stale_socket(path);
    const auto stale = net::run_task_for(say(path, "hello"));
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().code, base::Code::unavailable);
}

}  // namespace
}  // namespace net_tests
