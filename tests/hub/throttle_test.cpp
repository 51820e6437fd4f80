// SPDX-License-Identifier: Apache-2.0
#include "hub/throttle.hpp"

#include <gtest/gtest.h>

#include "hub/routes.hpp"
#include "test_hub.hpp"

namespace hub_test {
namespace {

using hub::Operation;
using hub::TokenBucket;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TokenBucket::Time start{seconds(1000)};

TEST(TokenBucket, LetsTheRateThroughAndThenSaysHowLongToWait) {
    TokenBucket bucket(2, seconds(1));
    EXPECT_FALSE(bucket.take(start));
    EXPECT_FALSE(bucket.take(start));
    EXPECT_EQ(bucket.take(start), milliseconds(500));
    EXPECT_EQ(bucket.take(start + milliseconds(200)), milliseconds(300));
    EXPECT_FALSE(bucket.take(start + milliseconds(500)));
    EXPECT_EQ(bucket.take(start + milliseconds(500)), milliseconds(500));
}

TEST(TokenBucket, HoldsOnePeriodAtMostHoweverLongItRested) {
    TokenBucket bucket(3, seconds(60));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(bucket.take(start));
    EXPECT_EQ(bucket.take(start), seconds(20));
    const auto later = start + std::chrono::hours(5);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(bucket.take(later));
    EXPECT_EQ(bucket.take(later), seconds(20));
}

TEST(TokenBucket, GivesTheAverageRate) {
    TokenBucket bucket(10, seconds(1));
    int taken = 0;
    for (int ms = 0; ms < 10'000; ++ms) taken += bucket.take(start + milliseconds(ms)) ? 0 : 1;
    EXPECT_GE(taken, 108);
    EXPECT_LE(taken, 110);
}

TEST(TokenBucket, TimeThatRunsBackwardsGivesNothing) {
    TokenBucket bucket(1, seconds(1));
    EXPECT_FALSE(bucket.take(start));
    EXPECT_TRUE(bucket.take(start - seconds(100)));
    EXPECT_TRUE(bucket.take(start + milliseconds(999)));
    EXPECT_FALSE(bucket.take(start + seconds(1)));
}

TEST(TokenBucket, LendsWhatHasComeAlreadyAndSaysWhenItIsPaid) {
    TokenBucket bucket(2, seconds(1));
    EXPECT_EQ(bucket.borrow(start, seconds(1)), milliseconds(0));
    EXPECT_EQ(bucket.borrow(start, seconds(1)), milliseconds(0));
    EXPECT_EQ(bucket.borrow(start, seconds(1)), milliseconds(500));
    EXPECT_EQ(bucket.borrow(start, seconds(1)), seconds(1));
    EXPECT_FALSE(bucket.borrow(start, seconds(1))) << "longer than anybody may wait";
    EXPECT_EQ(bucket.borrow(start + milliseconds(500), seconds(1)), seconds(1))
        << "the refused one cost nothing";
}

TEST(Throttle, KnowsTheOperationOfARoute) {
    using http::Verb;
    struct Case {
        Verb verb;
        std::string_view route;
        Operation operation;
    };
    const Case cases[] = {{Verb::get, "/devices/", Operation::registry},
                          {Verb::put, "/devices/{d}", Operation::registry},
                          {Verb::put, "/devices/{d}/modules/{id}", Operation::registry},
                          {Verb::put, "/configurations/{id}", Operation::registry},
                          {Verb::post, "/devices/query", Operation::queries},
                          {Verb::post, "/devices/{d}/messages/events", Operation::telemetry},
                          {Verb::get, "/messages/events", Operation::none},
                          {Verb::post, "/devices/{d}/messages/devicebound", Operation::cloud_to_device},
                          {Verb::get, "/devices/{d}/messages/devicebound", Operation::none},
                          {Verb::delete_, "/devices/{d}/messages/devicebound/{lock}", Operation::none},
                          {Verb::get, "/twins/{d}", Operation::twin_reads},
                          {Verb::patch, "/twins/{d}/modules/{m}", Operation::twin_updates},
                          {Verb::post, "/twins/{d}/methods", Operation::methods},
                          {Verb::get, "/devices/{d}/modules/$edgeHub/scopeChanges", Operation::none},
                          {Verb::get, "/explain/{tracking}", Operation::none},
                          {Verb::get, "/statistics/devices", Operation::none}};
    for (const auto& one : cases)
        EXPECT_EQ(hub::operation_of(one.verb, one.route), one.operation) << one.route;
}

TEST(Throttle, LimitsOnlyWhatHasARate) {
    hub::ThrottleRates rates{};
    rates[static_cast<std::size_t>(Operation::queries)] = {1, seconds(60)};
    hub::Throttle throttle(rates);
    EXPECT_FALSE(throttle.take(Operation::queries, start));
    EXPECT_TRUE(throttle.take(Operation::queries, start));
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(throttle.take(Operation::registry, start));
}

TEST(ThrottledHub, AnswersTooManyRequestsWithTheTimeToWait) {
    const TestHub hub("[throttle]\nregistry_per_minute = 2\n");
    EXPECT_EQ(hub.ask({.target = "/devices"}).status, 200);
    EXPECT_EQ(hub.ask({.target = "/devices"}, {}).status, 401) << "who is not let in uses up nothing";
    EXPECT_EQ(hub.ask({.target = "/devices"}).status, 200);
    const auto answer = hub.ask({.target = "/devices"});
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.headers.get("iothub-errorcode").value_or(""), "ThrottlingException");
    const auto wait = std::stoi(std::string(answer.headers.get("Retry-After").value_or("0")));
    EXPECT_GE(wait, 1);
    EXPECT_LE(wait, 30);
    EXPECT_EQ(hub.ask({.target = "/messages/events?from=now"}).status, 200) << "another kind";
}

TEST(ThrottledHub, AnswersConnectsOverTheRateWithServerUnavailable) {
    const TestHub hub("[throttle]\nconnects_per_second = 1\n");
    const auto identity = hub.device_identity("TempSensor");
    hub.register_device("TempSensor", identity);
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    // TLS handshakes take their time, so more than one may be in a second.
    base::Status status;
    for (int i = 0; i < 200 && status; ++i) status = hub.try_connect(wish);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, base::Code::unavailable) << status.error().text();
}

net::Task<int> send_telemetry(const TestHub& hub, MqttWish wish, int count) {
    auto client = co_await hub.connect(wish);
    if (!client) throw std::runtime_error(client.error().text());
    int stored = 0;
    for (int i = 0; i < count; ++i) {
        const auto sent = co_await (*client)->publish("devices/TempSensor/messages/events/", base::Bytes(1),
                                                      mqtt::Qos::at_least_once);
        if (sent) ++stored;
    }
    co_return stored;
}

TEST(ThrottledHub, DelaysTelemetryOverTheRateAndStoresAllOfIt) {
    const TestHub hub("[throttle]\ntelemetry_per_second = 4\n");
    const auto identity = hub.device_identity("TempSensor");
    hub.register_device("TempSensor", identity);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(net::run_task_for(send_telemetry(hub, {.device = "TempSensor", .identity = &identity}, 10)),
              10);
    // Four at once, a quarter of a second for each of five more; the tenth is answered before its delay.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(1200));
}

}  // namespace
}  // namespace hub_test
