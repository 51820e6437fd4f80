// SPDX-License-Identifier: Apache-2.0
#include <future>

#include <gmock/gmock.h>

#include "net/timer.hpp"
#include "pki/checks.hpp"
#include "tls_fixture.hpp"

namespace net_tests {
namespace {

using testing::HasSubstr;

struct TlsTest : testing::Test {
    Actors actors;
    support::ServingLoops serving{2};

    std::unique_ptr<net::TlsListener> listen(net::Serve serve, std::string address = "127.0.0.1") {
        return net::TlsListener::open(serving.loops(), address, 0, actors.server(), std::move(serve)).value();
    }
    net::TlsTarget target(const net::TlsListener& listener, std::string name = "edgegateway.local") const {
        return {"127.0.0.1", listener.port(), std::move(name)};
    }
};

net::Task<base::Result<std::string>> say(net::TlsTarget target, std::shared_ptr<const net::ClientTls> tls,
                                         const base::Clock& clock, std::string text) {
    auto connected = co_await net::connect_tls(target, tls, generous, clock);
    if (!connected) co_return std::unexpected(connected.error());
    const auto written = co_await connected->stream.write_all(bytes_of(text), generous);
    if (!written) co_return std::unexpected(written.error());
    auto echoed = co_await read_exactly(connected->stream, text.size());
    co_return echoed;
}

net::Task<> tell_peer(net::Stream stream, std::promise<net::Peer>& peer) {
    peer.set_value(stream.peer());
    std::byte byte{};
    co_await stream.read_some(std::span(&byte, 1), generous);
}

TEST_F(TlsTest, EchoesBothWaysAcrossManyRecords) {
    const auto listener = listen(echo);
    std::string text(100'000, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    const auto echoed = net::run_task_for(say(target(*listener), actors.client(), actors.clock, text));
    ASSERT_TRUE(echoed) << echoed.error().text();
    EXPECT_EQ(*echoed, text);
}

net::Task<base::Result<net::Peer>> look_at_server(net::TlsTarget target,
                                                  std::shared_ptr<const net::ClientTls> tls,
                                                  const base::Clock& clock, pki::Verdict* verdict) {
    auto connected = co_await net::connect_tls(target, tls, generous, clock, verdict);
    if (!connected) co_return std::unexpected(connected.error());
    co_return connected->stream.peer();
}

TEST_F(TlsTest, PresentsTheChainWithoutTheRoot) {
    const auto listener = listen(echo);
    pki::Verdict verdict;
    const auto peer =
        net::run_task_for(look_at_server(target(*listener), actors.client(), actors.clock, &verdict));
    ASSERT_TRUE(peer) << peer.error().text();
    const pki::Chain expected{actors.gateway.certificate, actors.pki.intermediate.certificate};
    EXPECT_EQ(peer->certificates, expected);
    EXPECT_EQ(peer->tls_version, "TLSv1.3");
    EXPECT_EQ(peer->address, "127.0.0.1:" + std::to_string(listener->port()));
    EXPECT_TRUE(verdict.accepted());
}

TEST_F(TlsTest, LetsASelfSignedClientCertificateThroughAndShowsIt) {
    std::promise<net::Peer> promise;
    const auto listener = listen([&](net::Stream stream) { return tell_peer(std::move(stream), promise); });
    const auto device =
        support::make_identity({.profile = pki::Profile::device, .common_name = "TempSensor"});
    const auto tls = actors.client_presenting(device);
    const auto seen = net::run_task_for(look_at_server(target(*listener), tls, actors.clock, nullptr));
    ASSERT_TRUE(seen) << seen.error().text();
    const auto peer = promise.get_future().get();
    ASSERT_EQ(peer.certificates.size(), 1U);
    EXPECT_EQ(peer.certificates.front(), device.certificate);
    EXPECT_EQ(peer.server_name, "edgegateway.local");
    EXPECT_EQ(peer.tls_version, "TLSv1.3");
    EXPECT_TRUE(peer.address.starts_with("127.0.0.1:"));
    EXPECT_FALSE(peer.process);
}

TEST_F(TlsTest, NeedsNoClientCertificate) {
    std::promise<net::Peer> promise;
    const auto listener = listen([&](net::Stream stream) { return tell_peer(std::move(stream), promise); });
    const auto seen =
        net::run_task_for(look_at_server(target(*listener), actors.client(), actors.clock, nullptr));
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_TRUE(promise.get_future().get().certificates.empty());
}

TEST_F(TlsTest, SendsNoServerNameForAnAddress) {
    actors.gateway = support::make_identity(
        {.profile = pki::Profile::server, .common_name = "gateway", .names = {"IP:127.0.0.1"}},
        &actors.pki.intermediate);
    std::promise<net::Peer> promise;
    const auto listener = listen([&](net::Stream stream) { return tell_peer(std::move(stream), promise); });
    const auto seen = net::run_task_for(
        look_at_server(target(*listener, "127.0.0.1"), actors.client(), actors.clock, nullptr));
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(promise.get_future().get().server_name, "");
}

TEST_F(TlsTest, RefusesAServerBelowAnUnknownRoot) {
    const auto listener = listen(echo);
    const auto other = support::make_identity({.profile = pki::Profile::root, .common_name = "another_root"});
    pki::Verdict verdict;
    const auto tls = Actors::client_trusting(other.certificate);
    const auto seen = net::run_task_for(look_at_server(target(*listener), tls, actors.clock, &verdict));
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code, base::Code::unauthenticated);
    EXPECT_FALSE(verdict.accepted());
    ASSERT_NE(verdict.first_failure(), nullptr);
    EXPECT_THAT(seen.error().reason, HasSubstr(std::string(verdict.first_failure()->check)));
    EXPECT_THAT(seen.error().reason, HasSubstr("my_private_root_CA"));
    EXPECT_THAT(seen.error().thing, HasSubstr(std::to_string(listener->port())));
}

TEST_F(TlsTest, RefusesAServerWithAnotherName) {
    const auto listener = listen(echo);
    pki::Verdict verdict;
    const auto seen = net::run_task_for(
        look_at_server(target(*listener, "othergateway.local"), actors.client(), actors.clock, &verdict));
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code, base::Code::unauthenticated);
    ASSERT_NE(verdict.first_failure(), nullptr);
    EXPECT_EQ(verdict.first_failure()->check, pki::checks::leaf_san);
    EXPECT_THAT(seen.error().reason, HasSubstr("othergateway.local"));
    EXPECT_THAT(seen.error().reason, HasSubstr("edgegateway.local"));
}

TEST_F(TlsTest, RefusesAServerAfterItsTime) {
    const auto listener = listen(echo);
    const support::StoppedClock later(support::test_time() + std::chrono::years(30));
    const auto seen = net::run_task_for(look_at_server(target(*listener), actors.client(), later, nullptr));
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code, base::Code::unauthenticated);
    EXPECT_THAT(seen.error().reason, HasSubstr("validity"));
}

TEST_F(TlsTest, ShowsARefusedServerNoApplicationData) {
    std::atomic<int> served = 0;
    const auto listener = listen([&](net::Stream stream) {
        ++served;
        return echo(std::move(stream));
    });
    const auto refused = net::run_task_for(
        say(target(*listener, "othergateway.local"), actors.client(), actors.clock, "secret"));
    EXPECT_FALSE(refused);
    const auto accepted = net::run_task_for(say(target(*listener), actors.client(), actors.clock, "hello"));
    EXPECT_TRUE(accepted);
    serving.stop();
    EXPECT_EQ(served, 1);
}

net::Task<> count_one(std::size_t& good, net::TlsTarget target, std::shared_ptr<const net::ClientTls> tls,
                      const base::Clock& clock, std::string text) {
    const auto echoed = co_await say(target, tls, clock, text);
    if (echoed == text) ++good;
}

net::Task<std::size_t> many_at_once(std::size_t count, net::TlsTarget target,
                                    std::shared_ptr<const net::ClientTls> tls, const base::Clock& clock) {
    std::size_t good = 0;
    net::TaskGroup group;
    for (std::size_t i = 0; i < count; ++i) {
        group.spawn("client", count_one(good, target, tls, clock, "message " + std::to_string(i)));
    }
    co_await group.drained();
    co_return good;
}

TEST_F(TlsTest, ServesAHundredConnectionsAtOnceOnTwoLoops) {
    std::array<std::atomic<int>, 2> on_loop{};
    const auto listener = listen([&](net::Stream stream) {
        ++on_loop.at(net::this_loop().index());
        return echo(std::move(stream));
    });
    EXPECT_EQ(net::run_task_for(many_at_once(100, target(*listener), actors.client(), actors.clock)), 100U);
    serving.stop();
    EXPECT_EQ(on_loop[0] + on_loop[1], 100);
    EXPECT_GT(on_loop[0], 0);
    EXPECT_GT(on_loop[1], 0);
}

TEST_F(TlsTest, ReplacedCertificateIsSeenByTheNextHandshakeOnly) {
    const auto listener = listen(echo);
    struct Run {
        static net::Task<bool> run(TlsTest& test, net::TlsListener& at) {
            auto before =
                co_await net::connect_tls(test.target(at), test.actors.client(), generous, test.actors.clock);
            test.actors.gateway = support::make_identity({.profile = pki::Profile::server,
                                                          .common_name = "edgegateway.local",
                                                          .names = {"DNS:edgegateway.local"}},
                                                         &test.actors.pki.intermediate);
            at.replace(test.actors.server());
            auto after =
                co_await net::connect_tls(test.target(at), test.actors.client(), generous, test.actors.clock);
            const std::string text = "still here";
            co_await before->stream.write_all(bytes_of(text), generous);
            const auto echoed = co_await read_exactly(before->stream, text.size());
            co_return echoed == text &&
                before->stream.peer().certificates[0] != after->stream.peer().certificates[0] &&
                after->stream.peer().certificates[0] == test.actors.gateway.certificate;
        }
    };
    EXPECT_TRUE(net::run_task_for(Run::run(*this, *listener)));
}

TEST_F(TlsTest, ListensOnIpv6AndIpv4WithTheUnspecifiedAddress) {
    const auto listener = listen(echo, "::");
    for (const std::string host : {"127.0.0.1", "::1", "[::1]"}) {
        const net::TlsTarget where{host, listener->port(), "edgegateway.local"};
        const auto echoed = net::run_task_for(say(where, actors.client(), actors.clock, "hello"));
        ASSERT_TRUE(echoed) << echoed.error().text();
    }
}

TEST_F(TlsTest, ListensOnBothLoopbackAddressesWithOnePortAndOnNoOther) {
    const auto listener = listen(echo, "localhost");
    net::TlsTarget where = target(*listener);
    EXPECT_TRUE(net::run_task_for(say(where, actors.client(), actors.clock, "four")));
    where.host = "127.0.0.2";
    EXPECT_FALSE(net::run_task_for(say(where, actors.client(), actors.clock, "x")));
    // A machine without ::1 is served on 127.0.0.1 alone.
    if (!net::TlsListener::open(serving.loops(), "::1", 0, actors.server(), echo)) return;
    where.host = "::1";
    EXPECT_TRUE(net::run_task_for(say(where, actors.client(), actors.clock, "six")));
    const auto second =
        net::TlsListener::open(serving.loops(), "::1", listener->port(), actors.server(), echo);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, base::Code::address_in_use);
}

TEST_F(TlsTest, ResolvesAName) {
    const auto listener = listen(echo);
    const net::TlsTarget where{"localhost", listener->port(), "edgegateway.local"};
    const auto echoed = net::run_task_for(say(where, actors.client(), actors.clock, "hello"));
    ASSERT_TRUE(echoed) << echoed.error().text();
}

TEST_F(TlsTest, TellsOfABusyPortWithItsNumberAndTheRemedy) {
    const auto listener = listen(echo);
    net::Loops others(2);
    const auto second = net::TlsListener::open(others, "127.0.0.1", listener->port(), actors.server(), echo);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::Code::address_in_use);
    EXPECT_THAT(second.error().reason, HasSubstr(std::to_string(listener->port())));
    EXPECT_THAT(second.error().fix, HasSubstr("another port"));
}

TEST_F(TlsTest, RefusesToListenOnAName) {
    net::Loops others(1);
    const auto listener = net::TlsListener::open(others, "edgegateway.local", 0, actors.server(), echo);
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, base::Code::invalid_argument);
}

TEST_F(TlsTest, TellsThatNobodyListens) {
    std::uint16_t port = 0;
    {
        const auto listener = listen(echo);
        port = listener->port();
        listener->close();
        serving.stop();
    }
    const auto echoed = net::run_task_for(
        say({"127.0.0.1", port, "edgegateway.local"}, actors.client(), actors.clock, "hello"));
    ASSERT_FALSE(echoed);
    EXPECT_EQ(echoed.error().code, base::Code::unavailable);
    EXPECT_THAT(echoed.error().text(), HasSubstr("127.0.0.1:" + std::to_string(port)));
    EXPECT_THAT(echoed.error().text(), HasSubstr("refused"));
}

TEST(ServerTls, RefusesAKeyThatDoesNotBelongToTheCertificate) {
    const Actors actors;
    const auto tls = net::ServerTls::make({actors.gateway.certificate}, actors.pki.root.key);
    ASSERT_FALSE(tls);
    EXPECT_THAT(tls.error().text(), HasSubstr("edgegateway.local"));
}

TEST(ServerTls, RefusesAnEmptyChain) {
    const Actors actors;
    EXPECT_FALSE(net::ServerTls::make({}, actors.gateway.key));
}

TEST(ClientTls, RefusesACertificateWithoutItsKey) {
    const Actors actors;
    net::ClientTls::Options options;
    options.trust = std::make_shared<const pki::TrustBundle>();
    options.chain = {actors.gateway.certificate};
    EXPECT_FALSE(net::ClientTls::make(std::move(options)));
}

}  // namespace
}  // namespace net_tests
