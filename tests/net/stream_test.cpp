// SPDX-License-Identifier: Apache-2.0
#include <future>

#include <gmock/gmock.h>

#include "net/timer.hpp"
#include "raw_client.hpp"
#include "support/process.hpp"
#include "tls_fixture.hpp"

namespace net_tests {
namespace {

using testing::HasSubstr;

struct StreamTest : testing::Test {
    Actors actors;
    support::ServingLoops serving{1, 0s};  // some servers here never end by themselves
    std::unique_ptr<net::TlsListener> listener = open(echo);

    std::unique_ptr<net::TlsListener> open(net::Serve serve) {
        return net::TlsListener::open(serving.loops(), "127.0.0.1", 0, actors.server(), std::move(serve))
            .value();
    }
    net::TlsTarget target() const { return {"127.0.0.1", listener->port(), "edgegateway.local"}; }
    net::Task<base::Result<net::Connected>> connect() {
        return net::connect_tls(target(), actors.client(), generous, actors.clock);
    }
};

struct Waits {
    static net::Task<base::Status> readable(StreamTest& test, std::chrono::milliseconds limit) {
        auto connected = co_await test.connect();
        co_return co_await connected->stream.readable(limit);
    }
    static net::Task<base::Code> read(StreamTest& test, std::chrono::milliseconds limit) {
        auto connected = co_await test.connect();
        std::byte byte{};
        const auto got = co_await connected->stream.read_some(std::span(&byte, 1), limit);
        co_return got ? base::Code::internal : got.error().code;
    }
    /// The server does not read: our writes fill the socket buffers and then wait.
    static net::Task<base::Code> write_until_full(StreamTest& test) {
        auto connected = co_await test.connect();
        const std::vector<std::byte> block(64 * 1024 * 1024);
        const auto written = co_await connected->stream.write_all(block, 50ms);
        co_return written ? base::Code::internal : written.error().code;
    }
};

TEST_F(StreamTest, ReadableEndsAtItsDeadline) {
    const auto status = net::run_task_for(Waits::readable(*this, 5ms));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, base::Code::timeout);
    EXPECT_THAT(status.error().thing, HasSubstr("127.0.0.1:"));
}

TEST_F(StreamTest, ReadEndsAtItsDeadline) {
    EXPECT_EQ(net::run_task_for(Waits::read(*this, 5ms)), base::Code::timeout);
}

net::Task<> hold(net::Stream stream) {
    (void)stream;
    co_await net::sleep_for(1h);
}

TEST_F(StreamTest, WriteEndsAtItsDeadline) {
    listener = open(hold);
    EXPECT_EQ(net::run_task_for(Waits::write_until_full(*this)), base::Code::timeout);
}

net::Task<> end_at_once(net::Stream stream) {
    stream.close();
    co_return;
}

TEST_F(StreamTest, AnOrderlyEndIsClosed) {
    listener = open(end_at_once);
    EXPECT_EQ(net::run_task_for(Waits::read(*this, generous)), base::Code::closed);
    const auto status = net::run_task_for(Waits::readable(*this, generous));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, base::Code::closed);
}

struct Closing {
    std::optional<net::Stream> stream;
    base::Code read_code = base::Code::internal;
    base::Code write_code = base::Code::internal;

    static net::Task<> read(Closing& here) {
        const auto status = co_await here.stream->readable(1h);
        here.read_code = status ? base::Code::internal : status.error().code;
    }
    static net::Task<> write(Closing& here) {
        const std::vector<std::byte> block(64 * 1024 * 1024);
        const auto status = co_await here.stream->write_all(block, 1h);
        here.write_code = status ? base::Code::internal : status.error().code;
    }
    enum class How { close, destroy, cancel };
    static net::Task<> run(StreamTest& test, Closing& here, How how) {
        auto connected = co_await test.connect();
        here.stream.emplace(std::move(connected->stream));
        net::TaskGroup group;
        group.spawn("reader", read(here));
        group.spawn("writer", write(here));
        co_await net::sleep_for(20ms);
        if (how == How::close) here.stream->close();
        if (how == How::destroy) here.stream.reset();
        if (how == How::cancel) group.cancel_all();
        co_await group.drained();
        here.stream.reset();
    }
};

class StreamEnd : public StreamTest, public testing::WithParamInterface<Closing::How> {};

TEST_P(StreamEnd, EndsWaitsInProgressWithCancelled) {
    listener = open(hold);
    Closing here;
    net::run_task(Closing::run(*this, here, GetParam()));
    EXPECT_EQ(here.read_code, base::Code::cancelled);
    EXPECT_EQ(here.write_code, base::Code::cancelled);
}

INSTANTIATE_TEST_SUITE_P(By, StreamEnd,
                         testing::Values(Closing::How::close, Closing::How::destroy, Closing::How::cancel),
                         [](const auto& of) {
                             return of.param == Closing::How::close     ? "Close"
                                    : of.param == Closing::How::destroy ? "Destruction"
                                                                        : "Cancellation";
                         });

struct BothWays {
    static net::Task<> send(net::Stream& stream, const std::string& text, bool& sent) {
        const auto status = co_await stream.write_all(bytes_of(text), generous);
        sent = status.has_value();
    }
    static net::Task<bool> run(StreamTest& test) {
        auto connected = co_await test.connect();
        const std::string text(4'000'000, 'z');
        bool sent = false;
        net::TaskGroup group;
        group.spawn("sender", send(connected->stream, text, sent));
        const auto got = co_await read_exactly(connected->stream, text.size());
        co_await group.drained();
        co_return sent&& got == text;
    }
};

TEST_F(StreamTest, ReadsWhileItWrites) {
    EXPECT_TRUE(net::run_task_for(BothWays::run(*this)));
}

TEST_F(StreamTest, MalformedTlsEndsThatConnectionAlone) {
    const std::vector<std::string> starts = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        std::string("\x16\x03\x01\xff\xff", 5) + std::string(200, 'A'),
        std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10),
        std::string("\x15\x03\x03\x00\x02\x02\x28", 7),
        std::string(1000, '\0'),
        std::string("\x80\x2e\x01\x00\x02", 5) + std::string(60, '\x01'),
        "",
    };
    for (const auto& start : starts) {
        const RawClient client(listener->port());
        ASSERT_TRUE(client.send(start));
        client.end_sending();
        client.read_all();
    }
    EXPECT_EQ(net::run_task_for(Waits::read(*this, 1ms)),
              base::Code::timeout);  // a good client is still served
}

TEST_F(StreamTest, RefusesTls11) {
    const auto result =
        support::run({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(listener->port()),
                      "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
    EXPECT_NE(result.exit_code, 0) << result.out << result.err;
}

TEST_F(StreamTest, SpeaksTls12WithoutTickets) {
    support::RunOptions options;
    options.input = "";
    const auto result =
        support::run({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(listener->port()),
                      "-tls1_2", "-servername", "edgegateway.local", "-alpn", "http/1.1"},
                     options);
    EXPECT_THAT(result.out, HasSubstr("Protocol  : TLSv1.2"));
    EXPECT_THAT(result.out, HasSubstr("ALPN protocol: http/1.1"));
    EXPECT_THAT(result.out, HasSubstr("No client certificate CA names sent"));
    EXPECT_THAT(result.out, HasSubstr("Requested Signature Algorithms"));
    EXPECT_THAT(result.out, testing::Not(HasSubstr("TLS session ticket:")));
}

struct Idle {
    std::promise<void> waits;
    std::promise<base::Code> ended;

    static net::Task<> serve(net::Stream stream, Idle& idle) {
        idle.waits.set_value();
        const auto status = co_await stream.readable_when_idle(1h);
        idle.ended.set_value(status ? base::Code::internal : status.error().code);
    }
    static net::Task<> connect_and_stop(StreamTest& test, Idle& idle, support::ServingLoops& loops) {
        auto connected = co_await test.connect();
        idle.waits.get_future().wait();
        loops.stop();
    }
};

TEST_F(StreamTest, StoppingEndsIdleConnectionsAndListenersByItself) {
    support::ServingLoops graceful(2, 60s);
    Idle idle;
    listener =
        net::TlsListener::open(graceful.loops(), "127.0.0.1", 0, actors.server(), [&](net::Stream stream) {
            return Idle::serve(std::move(stream), idle);
        }).value();
    const auto begin = std::chrono::steady_clock::now();
    net::run_task(Idle::connect_and_stop(*this, idle, graceful));
    EXPECT_EQ(idle.ended.get_future().get(), base::Code::cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
    listener.reset();
}

}  // namespace
}  // namespace net_tests
