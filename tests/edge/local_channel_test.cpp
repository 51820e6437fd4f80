// SPDX-License-Identifier: Apache-2.0
#include "edge/local_channel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "http/blocking_client.hpp"
#include "http/server.hpp"
#include "net/loop.hpp"
#include "net/timer.hpp"
#include "support/loops.hpp"
#include "support/temporary_directory.hpp"

namespace {

/// A service that counts its connections and holds each answer back until `open_gate`.
class CountingService {
  public:
    explicit CountingService(std::string path) : path_(std::move(path)) { start(); }
    void start() {
        loops_ = std::make_unique<support::ServingLoops>();
        auto* self = this;
        auto serve = http::serve(
            [self](http::Request request, const net::Peer&) { return self->answer(std::move(request)); },
            [](int status, std::string_view) { return http::Response::empty(status); });
        listener_ = net::UnixListener::open(loops_->first(), path_, 0600, [self, serve](net::Stream stream) {
                        ++self->connections;
                        return serve(std::move(stream));
                    }).value();
    }
    void stop() {
        loops_->first().post([this] { listener_.reset(); });
        loops_.reset();
    }
    ~CountingService() { stop(); }

    std::atomic<int> connections{0};
    std::atomic<int> busy{0};
    std::atomic<int> most_busy{0};

  private:
    net::Task<http::Response> answer(http::Request request) {
        const int now = ++busy;
        int most = most_busy.load();
        while (most < now && !most_busy.compare_exchange_weak(most, now)) {
        }
        if (request.raw_target == "/slow") {
            const bool waited = co_await net::sleep_for(std::chrono::milliseconds(20));
            static_cast<void>(waited);
        }
        --busy;
        auto response = http::Response::text(200, request.raw_target);
        co_return response;
    }

    std::string path_;
    std::unique_ptr<support::ServingLoops> loops_;
    std::unique_ptr<net::UnixListener> listener_;
};

http::Request get(std::string target) {
    http::Request request;
    request.raw_target = std::move(target);
    return request;
}

net::Task<int> ask_so_often(edge::LocalChannel* channel, int count, std::string target) {
    int good = 0;
    for (int i = 0; i < count; ++i) {
        auto answered = co_await channel->ask(get(target), std::chrono::seconds(20), base::system_clock());
        if (answered && answered->body == target) ++good;
    }
    co_return good;
}

class LocalChannel : public testing::Test {
  protected:
    support::TemporaryDirectory directory_;
    std::string path_ = (directory_ / "s.sock").string();
    CountingService service_{path_};
};

net::Task<int> ask_in_turn(std::string path, int count) {
    edge::LocalChannel channel(path, 2);
    const int good = co_await ask_so_often(&channel, count, "/x");
    co_return good;
}

TEST_F(LocalChannel, OneConnectionServesCallsThatFollowEachOther) {
    EXPECT_EQ(net::run_task_for(ask_in_turn(path_, 20)), 20);
    EXPECT_EQ(service_.connections, 1);
}

net::Task<int> ask_over_a_restart(std::string path, CountingService* service) {
    edge::LocalChannel channel(path, 2);
    int good = co_await ask_so_often(&channel, 2, "/x");
    service->stop();
    service->start();
    good += co_await ask_so_often(&channel, 2, "/x");
    co_return good;
}

TEST_F(LocalChannel, AServiceThatWasStartedAnewIsAskedOverANewConnection) {
    EXPECT_EQ(net::run_task_for(ask_over_a_restart(path_, &service_)), 4);
    EXPECT_EQ(service_.connections, 2);
}

net::Task<> ask_and_count(edge::LocalChannel* channel, int* good, int* left, net::Event* all) {
    *good += co_await ask_so_often(channel, 1, "/slow");
    if (--*left == 0) all->notify();
}

net::Task<int> ask_at_once(std::string path, int callers) {
    edge::LocalChannel channel(path, 3);
    net::Event all;
    int good = 0, left = callers;
    for (int i = 0; i < callers; ++i)
        net::this_loop().spawn("caller", ask_and_count(&channel, &good, &left, &all));
    const bool done = co_await all.wait(std::chrono::seconds(30));
    static_cast<void>(done);
    co_return good;
}

TEST_F(LocalChannel, NeverMoreConnectionsThanAllowedAndNobodyIsLost) {
    EXPECT_EQ(net::run_task_for(ask_at_once(path_, 30)), 30);
    EXPECT_EQ(service_.most_busy, 3);
}

net::Task<base::Code> ask_nobody(std::string path) {
    edge::LocalChannel channel(path, 1);
    auto answered = co_await channel.ask(get("/x"), std::chrono::seconds(20), base::system_clock());
    auto code = answered ? base::Code::internal : answered.error().code;
    for (int i = 0; i < 3; ++i) {
        auto again = co_await channel.ask(get("/x"), std::chrono::seconds(20), base::system_clock());
        if (again || again.error().code != code) code = base::Code::internal;
    }
    co_return code;
}

TEST_F(LocalChannel, WhereNobodyListensEveryCallSaysSo) {
    service_.stop();
    EXPECT_NE(net::run_task_for(ask_nobody(path_)), base::Code::internal);
    service_.start();
}

TEST_F(LocalChannel, ABlockingCallerKeepsItsConnectionAndFindsANewOne) {
    http::BlockingClient client(path_, std::chrono::seconds(20));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask(get("/x"))->body, "/x");
    EXPECT_EQ(service_.connections, 1);
    service_.stop();
    EXPECT_FALSE(client.ask(get("/x")));
    service_.start();
    EXPECT_EQ(client.ask(get("/x"))->body, "/x");
    EXPECT_EQ(service_.connections, 2);
}

}  // namespace
