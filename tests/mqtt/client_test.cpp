// SPDX-License-Identifier: Apache-2.0
#include "mqtt/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "mqtt/connection.hpp"
#include "net/listener.hpp"
#include "support/certificates.hpp"
#include "support/loops.hpp"

namespace {

using namespace std::chrono_literals;
using mqtt::Qos;
using testing::HasSubstr;

constexpr auto telemetry = "devices/TempSensor/messages/events/";

/// What the servers of these tests do and have seen; shared between the loops, so behind a mutex.
struct Broker {
    // set before the client connects
    mqtt::ConnackCode answer = mqtt::ConnackCode::accepted;
    bool stores = true;
    bool grants = true;
    std::optional<mqtt::Publish> greeting;                               ///< sent behind CONNACK
    std::optional<mqtt::Publish> reply;                                  ///< sent behind SUBACK
    std::optional<std::size_t> closes_after;                             ///< messages
    std::function<std::optional<base::Bytes>(const mqtt::Packet&)> raw;  ///< nullopt: close

    std::mutex mutex;
    std::vector<std::string> payloads;
    std::vector<std::uint16_t> acknowledged;
    std::size_t pings = 0;
    std::optional<bool> orderly;

    template <class T>
    T look(T Broker::* member) {
        const std::lock_guard lock(mutex);
        return this->*member;
    }
};

class Handler : public mqtt::ConnectionHandler {
  public:
    Handler(mqtt::Connection& connection, Broker& broker) : connection_(connection), broker_(broker) {}

    net::Task<mqtt::Answer> authenticate(mqtt::Connect) override {
        mqtt::Answer answer = mqtt::Accept{true};
        if (broker_.answer != mqtt::ConnackCode::accepted)
            answer =
                mqtt::Refuse{broker_.answer, {base::Code::unauthenticated, "device", "is not known", {}}};
        co_return answer;
    }
    void started() override {
        if (broker_.greeting) connection_.send(*broker_.greeting);
    }
    void deliver(mqtt::Publish message) override {
        const std::lock_guard lock(broker_.mutex);
        broker_.payloads.emplace_back(base::as_text(message.payload));
        if (broker_.stores && message.qos != Qos::at_most_once) connection_.stored(message.packet_id);
        if (broker_.closes_after && broker_.payloads.size() >= *broker_.closes_after)
            connection_.close({base::Code::closed, "hub", "ends", {}});
    }
    mqtt::Grants subscribe(const mqtt::Subscribe& request) override {
        mqtt::Grants grants;
        for (const auto& wanted : request.subscriptions)
            grants.codes.push_back(broker_.grants ? static_cast<std::uint8_t>(wanted.qos) : 0x80);
        if (broker_.reply) connection_.send(*broker_.reply);
        return grants;
    }
    void acknowledged(std::uint16_t id) override {
        const std::lock_guard lock(broker_.mutex);
        broker_.acknowledged.push_back(id);
    }

  private:
    mqtt::Connection& connection_;
    Broker& broker_;
};

net::Task<> serve(net::Stream stream, Broker& broker, const base::Clock& clock) {
    const auto connection = mqtt::Connection::make(std::move(stream), clock);
    Handler handler(*connection, broker);
    const auto ended = co_await connection->run(handler);
    const std::lock_guard lock(broker.mutex);
    broker.orderly = ended.orderly;
}

/// A server that follows no rules but the test's.
net::Task<> serve_raw(net::Stream stream, Broker& broker) {
    base::Bytes inbox;
    for (;;) {
        auto decoded = mqtt::decode(inbox);
        if (!decoded) co_return;
        if (*decoded) {
            inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>((*decoded)->consumed));
            const auto answer = broker.raw((*decoded)->packet);
            if (!answer) co_return;
            if (!answer->empty()) co_await stream.write_all(*answer, 10s);
            continue;
        }
        const auto have = inbox.size();
        inbox.resize(have + 1024);
        const auto room = std::span(inbox).subspan(have);
        const auto got = co_await stream.read_some(room, 20s);
        if (!got) co_return;
        inbox.resize(have + *got);
    }
}

struct ClientTest : testing::Test {
    support::TestPki pki;
    support::Identity hub = support::make_identity({.profile = pki::Profile::server,
                                                    .common_name = "contosoiothub.local",
                                                    .names = {"DNS:contosoiothub.local"}},
                                                   &pki.intermediate);
    support::StoppedClock clock;
    Broker broker;
    support::ServingLoops serving;
    std::unique_ptr<net::TlsListener> listener = listen();

    std::unique_ptr<net::TlsListener> listen() {
        auto tls = net::ServerTls::make({hub.certificate, pki.intermediate.certificate}, hub.key).value();
        return net::TlsListener::open(serving.loops(), "127.0.0.1", 0, tls,
                                      [this](net::Stream stream) {
                                          return broker.raw ? serve_raw(std::move(stream), broker)
                                                            : serve(std::move(stream), broker, clock);
                                      })
            .value();
    }
    /// Waits until the server has seen the end of every connection.
    void finish() {
        listener.reset();
        serving.stop();
    }
    mqtt::Client::Options options(const pki::Certificate& root) {
        net::ClientTls::Options tls;
        tls.trust = std::make_shared<const pki::TrustBundle>(std::vector<pki::Certificate>{root});
        mqtt::Client::Options made{.target = {"127.0.0.1", listener->port(), "contosoiothub.local"},
                                   .tls = net::ClientTls::make(std::move(tls)).value(),
                                   .connect = {}};
        made.connect.client_id = "TempSensor";
        made.connect.clean_session = false;
        made.connect.user_name = "contosoiothub.local/TempSensor/?api-version=2021-04-12";
        return made;
    }
    mqtt::Client::Options options() { return options(pki.root.certificate); }
};

mqtt::Publish message(std::string topic, Qos qos) {
    mqtt::Publish made;
    made.topic = std::move(topic);
    made.qos = qos;
    return made;
}

using Connected = base::Result<std::unique_ptr<mqtt::Client>>;

net::Task<base::Error> fails_to_connect(mqtt::Client::Options options, const base::Clock& clock,
                                        pki::Verdict* verdict) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock, verdict);
    if (client) co_return base::Error{base::Code::internal, "test", "the client was accepted", {}};
    co_return client.error();
}

net::Task<> publishes_in_order(mqtt::Client::Options options, const base::Clock& clock) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) throw std::runtime_error(client.error().text());
    EXPECT_TRUE((*client)->session_present());
    const auto first = co_await (*client)->publish(telemetry, base::bytes_of("zero"), Qos::at_most_once);
    EXPECT_TRUE(first);
    const auto second = co_await (*client)->publish(telemetry, base::bytes_of("one"), Qos::at_least_once);
    EXPECT_TRUE(second);
    co_await (*client)->disconnect();
    EXPECT_FALSE((*client)->is_open());
    const auto end = co_await (*client)->ended();
    EXPECT_EQ(end.code, base::Code::cancelled);
    const auto late = co_await (*client)->publish(telemetry, base::bytes_of("late"), Qos::at_least_once);
    EXPECT_FALSE(late);
}

TEST_F(ClientTest, PublishesUntilItSaysDisconnect) {
    net::run_task(publishes_in_order(options(), clock));
    finish();
    EXPECT_EQ(broker.payloads, (std::vector<std::string>{"zero", "one"}));
    EXPECT_EQ(broker.orderly, true);
}

net::Task<> publish_one(mqtt::Client& client, std::string text, std::size_t& done, net::Event& last,
                        std::size_t of) {
    const auto published = co_await client.publish(telemetry, base::bytes_of(text), Qos::at_least_once);
    EXPECT_TRUE(published) << published.error().text();
    if (++done == of) last.notify();
}

net::Task<> publishes_many_at_once(mqtt::Client::Options options, const base::Clock& clock,
                                   std::size_t count) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) throw std::runtime_error(client.error().text());
    std::size_t done = 0;
    net::Event last;
    for (std::size_t i = 0; i < count; ++i)
        net::this_loop().spawn("test.publish", publish_one(**client, std::to_string(i), done, last, count));
    const bool all = co_await last.wait(30s);
    EXPECT_TRUE(all) << done;
}

TEST_F(ClientTest, SendsMoreThanItsWindowInTheOrderOfTheCalls) {
    constexpr std::size_t count = 1000;
    net::run_task(publishes_many_at_once(options(), clock, count));
    finish();
    ASSERT_EQ(broker.payloads.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(broker.payloads[i], std::to_string(i));
    EXPECT_EQ(broker.orderly, false) << "a dropped client says no DISCONNECT";
}

struct RefusalCase {
    mqtt::ConnackCode answer;
    base::Code code;
};

TEST_F(ClientTest, TellsEveryRefusalByItsKind) {
    using mqtt::ConnackCode;
    for (const auto& [answer, code] :
         {RefusalCase{ConnackCode::unacceptable_protocol, base::Code::invalid_argument},
          RefusalCase{ConnackCode::identifier_rejected, base::Code::invalid_argument},
          RefusalCase{ConnackCode::server_unavailable, base::Code::unavailable},
          RefusalCase{ConnackCode::bad_user_name_or_password, base::Code::unauthenticated},
          RefusalCase{ConnackCode::not_authorized, base::Code::unauthenticated}}) {
        broker.answer = answer;
        const auto why = net::run_task_for(fails_to_connect(options(), clock, nullptr));
        EXPECT_EQ(why.code, code) << why.text();
        EXPECT_THAT(why.reason, HasSubstr("CONNACK " + std::to_string(static_cast<int>(answer))));
    }
}

TEST_F(ClientTest, SaysNothingToAServerThatItDoesNotTrust) {
    const auto other = support::make_identity({.profile = pki::Profile::root, .common_name = "another root"});
    pki::Verdict verdict;
    const auto why = net::run_task_for(fails_to_connect(options(other.certificate), clock, &verdict));
    EXPECT_EQ(why.code, base::Code::unauthenticated) << why.text();
    EXPECT_FALSE(verdict.steps.empty());
    EXPECT_FALSE(verdict.accepted());
}

TEST_F(ClientTest, RefusesToSendAConnectThatCannotBeWritten) {
    auto wrong = options();
    wrong.connect.user_name = std::string(70'000, 'x');
    EXPECT_EQ(net::run_task_for(fails_to_connect(wrong, clock, nullptr)).code, base::Code::invalid_argument);
    wrong.connect.user_name.reset();
    wrong.connect.password = "p";
    EXPECT_EQ(net::run_task_for(fails_to_connect(wrong, clock, nullptr)).code, base::Code::invalid_argument);
}

net::Task<> receives(mqtt::Client::Options options, const base::Clock& clock,
                     std::vector<std::string>& topics) {
    net::Event arrived;
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) throw std::runtime_error(client.error().text());
    std::vector<mqtt::Subscription> wanted{{"devices/TempSensor/messages/devicebound/#", Qos::at_least_once}};
    const auto subscribed = co_await (*client)->subscribe(std::move(wanted));
    EXPECT_TRUE(subscribed) << subscribed.error().text();
    (*client)->on_message([&](const mqtt::Publish& came) {
        topics.push_back(came.topic);
        if (topics.size() == 2) arrived.notify();
    });
    while (topics.size() < 2) {
        const bool notified = co_await arrived.wait(20s);
        if (!notified) co_return;
    }
    co_await (*client)->disconnect();
}

TEST_F(ClientTest, KeepsMessagesThatCameBeforeThereWasAHandler) {
    broker.greeting = message("devices/TempSensor/messages/devicebound/first", Qos::at_least_once);
    broker.reply = message("devices/TempSensor/messages/devicebound/second", Qos::at_least_once);
    std::vector<std::string> topics;
    net::run_task(receives(options(), clock, topics));
    finish();
    ASSERT_EQ(topics.size(), 2U);
    EXPECT_THAT(topics[0], HasSubstr("first"));
    EXPECT_EQ(broker.acknowledged, (std::vector<std::uint16_t>{1, 2}));
}

net::Task<base::Status> subscribes(mqtt::Client::Options options, const base::Clock& clock,
                                   std::string filter) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) co_return std::unexpected(client.error());
    std::vector<mqtt::Subscription> wanted{{std::move(filter), Qos::at_least_once}};
    const auto subscribed = co_await (*client)->subscribe(std::move(wanted));
    co_return subscribed;
}

TEST_F(ClientTest, TellsARefusedSubscription) {
    broker.grants = false;
    const auto refused = net::run_task_for(subscribes(options(), clock, "a/#"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::permission_denied);
    EXPECT_THAT(refused.error().thing, HasSubstr("a/#"));
    const auto wrong = net::run_task_for(subscribes(options(), clock, "a#"));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, base::Code::invalid_argument);
}

struct Outcome {
    base::Status published;
    base::Error end;
};

net::Task<Outcome> publishes_once(mqtt::Client::Options options, const base::Clock& clock) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) throw std::runtime_error(client.error().text());
    Outcome outcome;
    outcome.published = co_await (*client)->publish(telemetry, base::bytes_of("x"), Qos::at_least_once);
    outcome.end = co_await (*client)->ended();
    co_return outcome;
}

TEST_F(ClientTest, FailsWhatWasInFlightWhenTheServerEnds) {
    broker.stores = false;
    broker.closes_after = 1;
    const auto outcome = net::run_task_for(publishes_once(options(), clock));
    ASSERT_FALSE(outcome.published);
    EXPECT_EQ(outcome.published.error().text(), outcome.end.text());
    EXPECT_EQ(outcome.end.code, base::Code::closed) << outcome.end.text();
}

TEST_F(ClientTest, EndsAConnectionOnWhichNoAcknowledgementComes) {
    broker.stores = false;
    auto impatient = options();
    impatient.limit = 500ms;
    const auto outcome = net::run_task_for(publishes_once(impatient, clock));
    ASSERT_FALSE(outcome.published);
    EXPECT_EQ(outcome.published.error().code, base::Code::timeout);
    EXPECT_EQ(outcome.end.code, base::Code::timeout);
}

/// A raw server: CONNACK to CONNECT, then what the test says.
auto raw(std::function<std::optional<base::Bytes>(const mqtt::Packet&)> then) {
    return [then](const mqtt::Packet& packet) -> std::optional<base::Bytes> {
        if (std::holds_alternative<mqtt::Connect>(packet)) return mqtt::encode(mqtt::Connack{});
        return then(packet);
    };
}

TEST_F(ClientTest, EndsOnPacketsThatNoServerMaySend) {
    const auto qos_2 = [] {
        auto made = message("t", Qos::exactly_once);
        made.packet_id = 1;
        return mqtt::encode(made);
    };
    for (const auto& answer : {qos_2(), mqtt::encode(mqtt::Connack{}), mqtt::encode(mqtt::Pingreq{}),
                               *base::from_hex("f000"), *base::from_hex("40020000")}) {
        broker.raw = raw([&](const mqtt::Packet&) { return answer; });
        const auto outcome = net::run_task_for(publishes_once(options(), clock));
        EXPECT_FALSE(outcome.published);
        EXPECT_EQ(outcome.end.code, base::Code::malformed) << outcome.end.text();
    }
}

TEST_F(ClientTest, SaysThatTheServerClosedBeforeConnack) {
    broker.raw = [](const mqtt::Packet&) { return std::nullopt; };
    EXPECT_THAT(net::run_task_for(fails_to_connect(options(), clock, nullptr)).text(),
                HasSubstr("before CONNACK"));
    broker.raw = [](const mqtt::Packet&) { return mqtt::encode(mqtt::Pingresp{}); };
    EXPECT_THAT(net::run_task_for(fails_to_connect(options(), clock, nullptr)).text(),
                HasSubstr("MQTT-3.2.0-1"));
    broker.raw = [](const mqtt::Packet&) { return base::Bytes(); };
    auto impatient = options();
    impatient.limit = 500ms;
    EXPECT_EQ(net::run_task_for(fails_to_connect(impatient, clock, nullptr)).code, base::Code::timeout);
}

net::Task<base::Error> waits_for_end(mqtt::Client::Options options, const base::Clock& clock) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) co_return client.error();
    auto end = co_await (*client)->ended();
    co_return end;
}

TEST_F(ClientTest, PingsAndEndsWhenNoAnswerComes) {
    broker.raw = raw([this](const mqtt::Packet& packet) -> std::optional<base::Bytes> {
        if (!std::holds_alternative<mqtt::Pingreq>(packet)) return base::Bytes();
        const std::lock_guard lock(broker.mutex);
        return ++broker.pings == 1 ? mqtt::encode(mqtt::Pingresp{}) : base::Bytes();
    });
    auto fast = options();
    fast.connect.keep_alive = 1;
    fast.limit = 1s;
    const auto end = net::run_task_for(waits_for_end(fast, clock));
    EXPECT_EQ(end.code, base::Code::timeout);
    EXPECT_THAT(end.text(), HasSubstr("PINGRESP"));
    EXPECT_EQ(broker.look(&Broker::pings), 2U);
}

net::Task<> publish_and_keep(mqtt::Client& client, std::optional<base::Status>& result, net::Event& done) {
    auto task = client.publish(telemetry, base::bytes_of("x"), Qos::at_least_once);
    result = co_await std::move(task);
    done.notify();
}

net::Task<> drops_while_publishing(mqtt::Client::Options options, const base::Clock& clock, Broker& broker) {
    auto connected = co_await mqtt::Client::connect(std::move(options), clock);
    if (!connected) throw std::runtime_error(connected.error().text());
    auto client = *std::move(connected);
    std::optional<base::Status> result;
    net::Event done;
    net::this_loop().spawn("test.publish", publish_and_keep(*client, result, done));
    while (broker.look(&Broker::payloads).empty()) co_await net::sleep_for(1ms);
    client.reset();
    const bool woken = co_await done.wait(20s);
    EXPECT_TRUE(woken);
    if (!woken || !result) co_return;
    EXPECT_FALSE(*result);
    EXPECT_EQ(result->error().code, base::Code::cancelled);
}

TEST_F(ClientTest, AnswersEveryCallWhenItIsDestroyed) {
    broker.stores = false;
    net::run_task(drops_while_publishing(options(), clock, broker));
    finish();
    EXPECT_EQ(broker.orderly, false);
}

net::Task<> drops_itself(mqtt::Client::Options options, const base::Clock& clock) {
    std::unique_ptr<mqtt::Client> client;
    net::Event dropped;
    options.on_message = [&](const mqtt::Publish&) {
        client.reset();
        dropped.notify();
    };
    auto connected = co_await mqtt::Client::connect(std::move(options), clock);
    if (!connected) throw std::runtime_error(connected.error().text());
    client = *std::move(connected);
    std::vector<mqtt::Subscription> wanted{{"a/#", Qos::at_least_once}};
    auto task = client->subscribe(std::move(wanted));
    const auto subscribed = co_await std::move(task);
    const bool woken = co_await dropped.wait(20s);
    EXPECT_TRUE(woken);
    EXPECT_EQ(client, nullptr);
}

TEST_F(ClientTest, MayBeDroppedByItsOwnHandler) {
    broker.reply = message("a/b", Qos::at_least_once);
    net::run_task(drops_itself(options(), clock));
    finish();
    EXPECT_TRUE(broker.acknowledged.empty());
}

net::Task<> refuses_messages(mqtt::Client::Options options, const base::Clock& clock) {
    auto client = co_await mqtt::Client::connect(std::move(options), clock);
    if (!client) throw std::runtime_error(client.error().text());
    const auto wildcard = co_await (*client)->publish("a/#", {}, Qos::at_least_once);
    EXPECT_EQ(wildcard.error().code, base::Code::invalid_argument);
    const auto twice = co_await (*client)->publish("a", {}, Qos::exactly_once);
    EXPECT_EQ(twice.error().code, base::Code::unsupported);
    base::Bytes big(mqtt::limits::packet);
    const auto large = co_await (*client)->publish("a", std::move(big), Qos::at_least_once);
    EXPECT_EQ(large.error().code, base::Code::too_large);
    EXPECT_TRUE((*client)->is_open());
}

TEST_F(ClientTest, RefusesMessagesThatCannotBeSentAndStaysOpen) {
    net::run_task(refuses_messages(options(), clock));
}

/// Sends CONNECT with much behind it, and returns what the server says until it ends.
net::Task<base::Result<base::Bytes>> speaks_too_soon(mqtt::Client::Options options,
                                                     const base::Clock& clock) {
    auto connected = co_await net::connect_tls(options.target, options.tls, 20s, clock);
    if (!connected) co_return std::unexpected(connected.error());
    auto hello = mqtt::encode(options.connect);
    const auto more = mqtt::encode(mqtt::Publish{.topic = "t", .payload = base::Bytes(100'000)});
    hello.insert(hello.end(), more.begin(), more.end());
    const auto written = co_await connected->stream.write_all(hello, 20s);
    if (!written) co_return std::unexpected(written.error());
    base::Bytes answer(16);
    const auto got = co_await connected->stream.read_some(answer, 20s);
    if (!got) co_return std::unexpected(got.error());
    answer.resize(*got);
    co_return answer;
}

TEST_F(ClientTest, HearsTheRefusalEvenWhereItHadSaidMore) {
    broker.answer = mqtt::ConnackCode::not_authorized;
    const auto answer = net::run_task_for(speaks_too_soon(options(), clock));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(base::to_hex(*answer), "20020005");
}

}  // namespace
