// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"

/// Messages from a device to the hub's log and out of it again.
namespace hub_test {
namespace {

class TelemetryTest : public testing::Test {
  protected:
    TelemetryTest() { hub_.register_device("TempSensor", identity_); }
    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");
    const MqttWish wish_{.device = "TempSensor", .identity = &identity_};
};

net::Task<> expect_durable_when_acknowledged(TestHub& hub, MqttWish wish) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    for (int i = 1; i <= 3; ++i) {
        const std::string topic = "devices/TempSensor/messages/events/%24.mid=id%201&alert=a%26b";
        const auto payload = base::bytes_of("{\"n\":" + std::to_string(i) + "}");
        const auto sent = co_await (*client)->publish(topic, payload, mqtt::Qos::at_least_once);
        EXPECT_TRUE(sent.has_value()) << sent.error().text();
        // `stored` reads what is on disk.
        const auto stored = hub.stored();
        EXPECT_EQ(stored.size(), static_cast<std::size_t>(i)) << "acknowledged, so it is durable";
    }
}

TEST_F(TelemetryTest, IsDurableWhenItIsAcknowledgedAndAttributedToItsSender) {
    net::run_task(expect_durable_when_acknowledged(hub_, wish_));
    const auto stored = hub_.stored();
    ASSERT_EQ(stored.size(), 3U);
    const auto& event = stored[2].event;
    EXPECT_EQ(base::as_text(event.message.body), "{\"n\":3}");
    EXPECT_EQ(event.origin, (trust::Identity{"TempSensor", ""}));
    EXPECT_EQ(event.message.system, (azure::Properties{{"message-id", "id 1"}}));
    EXPECT_EQ(event.message.application, (azure::Properties{{"alert", "a&b"}}));
    const auto json = boost::json::parse(azure::event_json(event, azure::ShowProperties::all, 2)).as_object();
    const auto& annotations = json.at("event").at("properties").at("annotations").as_object();
    EXPECT_EQ(annotations.at("iothub-connection-device-id").as_string(), "TempSensor");
    EXPECT_EQ(annotations.at("iothub-connection-auth-method").as_string(),
              R"({"scope":"device","type":"x509","issuer":"external"})");
    EXPECT_EQ(annotations.at("iothub-message-source").as_string(), "Telemetry");
    EXPECT_EQ(annotations.at("iothub-connection-auth-generation-id"),
              hub_.get("/devices/TempSensor").at("generationId"));
}

net::Task<> expect_closed_by_publish(TestHub& hub, MqttWish wish, std::string topic, base::Bytes payload) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const auto sent = co_await (*client)->publish(topic, payload, mqtt::Qos::at_least_once);
    EXPECT_FALSE(sent.has_value()) << "it was acknowledged";
    const auto ended = co_await ended_within(**client, patience);
    EXPECT_TRUE(ended.has_value()) << "the session lived on";
}

TEST_F(TelemetryTest, TopicOfAnotherOrUnknownTopicEndsTheSession) {
    for (const auto* topic :
         {"devices/Other/messages/events/", "devices/TempSensor/modules/m/messages/events/", "anything",
          "devices/TempSensor/messages/events/a%2"}) {
        SCOPED_TRACE(topic);
        net::run_task(expect_closed_by_publish(hub_, wish_, topic, base::bytes_of("x")));
    }
    EXPECT_TRUE(hub_.stored().empty());
}

TEST_F(TelemetryTest, MessageOver256KibEndsTheSession) {
    net::run_task(expect_closed_by_publish(hub_, wish_, "devices/TempSensor/messages/events/",
                                           base::Bytes(256 * 1024 + 1, std::byte{'x'})));
    EXPECT_TRUE(hub_.stored().empty());
}

net::Task<> publish_one(TestHub& hub, MqttWish wish, base::Bytes payload) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const auto sent = co_await (*client)->publish(own_topic, payload, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value()) << sent.error().text();
}

TEST_F(TelemetryTest, MessageOfExactly256KibIsStored) {
    net::run_task(publish_one(hub_, wish_, base::Bytes(256 * 1024, std::byte{'x'})));
    EXPECT_EQ(hub_.stored().size(), 1U);
}

net::Task<> subscribe(TestHub& hub, MqttWish wish, std::string filter, bool& granted, bool& ended) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const std::vector<mqtt::Subscription> subscriptions{{filter, mqtt::Qos::at_least_once}};
    const auto answer = co_await (*client)->subscribe(subscriptions);
    granted = answer.has_value();
    if (granted) co_return;
    const auto end = co_await ended_within(**client, patience);
    ended = end.has_value();
}

TEST_F(TelemetryTest, OwnFiltersAreGrantedAndOthersRefusedThenClosed) {
    const std::vector<std::pair<std::string, bool>> cases{{"devices/TempSensor/messages/devicebound/#", true},
                                                          {"$iothub/twin/res/#", true},
                                                          {"$iothub/methods/POST/#", true},
                                                          {"devices/Other/messages/devicebound/#", false},
                                                          {"#", false},
                                                          {"devices/TempSensor/messages/events/#", false}};
    for (const auto& [filter, allowed] : cases) {
        SCOPED_TRACE(filter);
        bool granted = false;
        bool ended = false;
        net::run_task(subscribe(hub_, wish_, filter, granted, ended));
        EXPECT_EQ(granted, allowed);
        EXPECT_EQ(ended, !allowed);
    }
}

net::Task<> connect_and_drop(TestHub& hub, MqttWish wish) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    // Destroyed without DISCONNECT: a cut connection.
}

net::Task<std::string> next_event(TestHub& hub) {
    const Ask question{.target = "/messages/events?from=beginning&wait=20"};
    const Caller owner = hub.owner();
    const auto answer = co_await hub.call(question, owner);
    co_return answer.body;
}

TEST_F(TelemetryTest, WillOfACutConnectionIsTelemetry) {
    auto wish = wish_;
    wish.will = mqtt::Will{"devices/TempSensor/messages/events/reason=gone", base::bytes_of("bye"),
                           mqtt::Qos::at_least_once, false};
    net::run_task(connect_and_drop(hub_, wish));
    const auto event = boost::json::parse(net::run_task_for(next_event(hub_))).as_object();
    const auto& application = event.at("event").at("properties").at("application").as_object();
    EXPECT_EQ(application.at("iothub-MessageType").as_string(), "Will");
    EXPECT_EQ(application.at("reason").as_string(), "gone");
    EXPECT_EQ(event.at("event").at("payload").as_string(), "bye");
}

net::Task<> read_while_publishing(TestHub& hub, MqttWish wish, std::string& body) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const Ask question{.target = "/messages/events?from=now"};
    const Caller owner = hub.owner();
    const auto start = co_await hub.call(question, owner);
    EXPECT_EQ(start.status, 200);
    EXPECT_EQ(start.body, "");
    const std::string next(start.headers.get("sallyport-next-offset").value_or(""));
    EXPECT_EQ(next, "0");
    const auto payload = base::bytes_of("{\"t\":21.50}");
    const auto sent = co_await (*client)->publish(own_topic, payload, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value());
    const Ask again{.target = "/messages/events?wait=20&from=" + next};
    const auto answer = co_await hub.call(again, owner);
    EXPECT_EQ(answer.headers.get("sallyport-next-offset").value_or(""), "1");
    body = answer.body;
}

TEST_F(TelemetryTest, ReaderGoesOnWhereItWasToldTo) {
    std::string body;
    net::run_task(read_while_publishing(hub_, wish_, body));
    EXPECT_THAT(body, testing::HasSubstr(R"("payload":{"t":21.50})"));
    EXPECT_THAT(body, testing::HasSubstr(R"("offset":0)"));
    EXPECT_THAT(body, testing::EndsWith("\n"));
}

net::Task<> hold(TestHub& hub, http::Response& into) {
    const Ask question{.target = "/messages/events?from=0&wait=40"};
    const Caller owner = hub.owner();
    into = co_await hub.call(question, owner);
}

net::Task<> expect_held_reader_wakes(TestHub& hub, MqttWish wish, http::Response& answer) {
    net::TaskGroup readers;
    readers.spawn("reader", hold(hub, answer));
    const auto payload = base::bytes_of("1");
    co_await publish_one(hub, wish, payload);
    co_await readers.drained();
}

TEST_F(TelemetryTest, HeldReaderIsWokenByAMessage) {
    http::Response answer;
    const auto begin = std::chrono::steady_clock::now();
    net::run_task(expect_held_reader_wakes(hub_, wish_, answer));
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, testing::HasSubstr("TempSensor"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace hub_test
