// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <deque>
#include <future>

#include <gmock/gmock.h>

#include "raw_client.hpp"
#include "support/process.hpp"
#include "tls_fixture.hpp"

namespace net_tests {
namespace {

using testing::HasSubstr;

/// What strangers may hold before they have shaken hands; one loop, whose limits a test sets.
struct HandshakeTest : testing::Test {
    Actors actors;
    support::ServingLoops serving{1, 0s};

    std::unique_ptr<net::TlsListener> listen(net::HandshakeLimits limits) {
        return net::TlsListener::open(serving.loops(), "127.0.0.1", 0, actors.server(), echo, limits).value();
    }
    /// Tries until it is let in, `count` times, and stays until all are.
    static net::Task<bool> come_in(HandshakeTest& test, const net::TlsListener& at, int count) {
        const net::TlsTarget target{"127.0.0.1", at.port(), "edgegateway.local"};
        std::vector<net::Connected> open;
        const auto tls = test.actors.client();
        for (int tries = 0; tries < 10'000 && count > 0; ++tries) {
            auto connected = co_await net::connect_tls(target, tls, generous, test.actors.clock);
            if (!connected) continue;
            open.push_back(std::move(*connected));
            --count;
        }
        co_return count == 0;
    }
    bool is_let_in(const net::TlsListener& at, int count = 1) {
        return net::run_task_for(come_in(*this, at, count));
    }
    /// Connects from another address of this machine than all the others do.
    auto connect_from(const std::string& address, const net::TlsListener& at) {
        support::RunOptions options;
        options.input = "";
        return support::run({"openssl", "s_client", "-bind", address, "-connect",
                             "127.0.0.1:" + std::to_string(at.port()), "-servername", "edgegateway.local"},
                            options);
    }
};

TEST_F(HandshakeTest, ThatIsNeverBegunEndsAtItsDeadline) {
    const auto listener = listen({.time = 100ms});
    const RawClient silent(listener->port());
    EXPECT_EQ(silent.read_all(), "");
}

TEST_F(HandshakeTest, ThatStopsHalfWayEndsAtItsDeadline) {
    const auto listener = listen({.time = 100ms});
    const RawClient client(listener->port());
    ASSERT_TRUE(client.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7)));
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(HandshakeTest, DeadlineIsNotPutOffByWhatComesDropByDrop) {
    const auto listener = listen({.time = 300ms});
    const RawClient client(listener->port());
    // A record that is announced with 16 KB never becomes whole within the bytes sent here.
    ASSERT_TRUE(client.send(std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", 9)));
    int sent = 0;
    while (sent < 16'000 && !client.is_ended(20ms) && client.send(std::string_view("\0", 1))) ++sent;
    EXPECT_LT(sent, 16'000);
}

TEST_F(HandshakeTest, ThoseBeyondTheCapWaitUntilAPlaceIsFree) {
    const auto listener = listen({.time = 2s, .at_once = 4, .of_one_address = 4});
    std::deque<RawClient> silent;
    for (int i = 0; i < 4; ++i) silent.emplace_back(listener->port());
    ASSERT_TRUE(is_let_in(*listener));
    EXPECT_TRUE(std::any_of(silent.begin(), silent.end(), [](const auto& one) { return one.is_ended(); }))
        << "it came in beside four unfinished handshakes";
}

TEST_F(HandshakeTest, PlaceIsFreedByWhoLeavesAndByWhoIsDone) {
    const auto listener = listen({.time = 1h, .at_once = 1, .of_one_address = 1});
    {
        const RawClient leaves(listener->port());
    }
    EXPECT_TRUE(is_let_in(*listener, 3));
}

TEST_F(HandshakeTest, OneAddressDoesNotKeepOthersOut) {
    const auto listener = listen({.time = 1h, .at_once = 4, .of_one_address = 3});
    std::deque<RawClient> silent;
    for (int i = 0; i < 3; ++i) silent.emplace_back(listener->port());
    for (int i = 0; i < 10; ++i) {
        const RawClient beyond(listener->port());
        EXPECT_EQ(beyond.read_all(), "") << "closed at once, whatever its deadline";
    }
    const auto other = connect_from("127.0.0.2", *listener);
    EXPECT_THAT(other.out, HasSubstr("CN = edgegateway.local")) << other.err;
    silent.pop_front();
    EXPECT_TRUE(is_let_in(*listener)) << "once the end of the first is noticed";
    EXPECT_FALSE(silent.front().is_ended());
}

/// No descriptor can be opened in this process while it lives.
class NoDescriptors {
  public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest = ::dup(STDERR_FILENO);
        ::close(lowest);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(lowest);
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    rlimit before_{};
};

/// Waits until another thread of this process has met the end of descriptors, by its log line.
class LogPipe {
  public:
    LogPipe() {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        reader_ = ends[0];
        before_ = ::dup(STDERR_FILENO);
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[1]);
    }
    LogPipe(const LogPipe&) = delete;
    LogPipe& operator=(const LogPipe&) = delete;
    ~LogPipe() {
        ::dup2(before_, STDERR_FILENO);
        ::close(before_);
        ::close(reader_);
    }
    /// The text up to and with the line that holds `word`.
    std::string until(std::string_view word) {
        for (;;) {
            const auto at = text_.find(word);
            if (at != std::string::npos && text_.find('\n', at) != std::string::npos) return text_;
            char buffer[4096];
            const auto got = ::read(reader_, buffer, sizeof buffer);
            if (got <= 0) return text_;
            text_.append(buffer, static_cast<std::size_t>(got));
        }
    }

  private:
    int reader_ = -1;
    int before_ = -1;
    std::string text_;
};

TEST_F(HandshakeTest, WithoutDescriptorsConnectionsWaitAndAreTakenWhenOneIsFree) {
    const auto listener = listen({});
    ASSERT_TRUE(is_let_in(*listener));  // the loops have opened all that they need by now
    RawClient waiting;
    std::string told;
    {
        LogPipe log;
        {
            const NoDescriptors none;
            ASSERT_TRUE(waiting.connect(listener->port()));
            told = log.until("listener.failed");
            EXPECT_FALSE(waiting.is_ended());
        }
    }
    EXPECT_THAT(told, HasSubstr("Too many open files"));
    EXPECT_THAT(told, HasSubstr("LimitNOFILE"));
    ASSERT_TRUE(waiting.send("no TLS at all\r\n"));
    waiting.read_all();  // it is served, and refused
    EXPECT_TRUE(is_let_in(*listener));
}

}  // namespace
}  // namespace net_tests
