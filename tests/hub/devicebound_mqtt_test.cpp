// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devicebound_fixture.hpp"

/// Cloud-to-device messages over MQTT, and the session that outlives its connection.
namespace hub_test {
namespace {

using DeviceboundMqtt = DeviceboundTest;

base::Error no_error(const Connected& client) {
    return client ? base::Error{} : client.error();
}

net::Task<> expect_delivered(TestHub& hub, MqttWish wish, mqtt::Publish& into) {
    Inbox inbox;
    wish.on_message = inbox.handler();
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << no_error(client).text();
    if (!client) co_return;
    const auto granted = co_await (*client)->subscribe(devicebound);
    EXPECT_TRUE(granted.has_value());
    const auto message = co_await inbox.next();
    EXPECT_TRUE(message.has_value());
    if (message) into = *message;
    co_await settle_all(hub, **client);
}

TEST_F(DeviceboundMqtt, MessageWaitsForTheSubscriptionAndIsCompletedByItsPuback) {
    ASSERT_EQ(send("{\"on\":true}",
                   {{"iothub-messageid", "m/1"},
                    {"iothub-app-alert", "a b"},
                    {"iothub-expiry", base::format_rfc3339(hub_.clock().now() + std::chrono::minutes(30))}})
                  .status,
              204);
    EXPECT_EQ(waiting(), 1);
    mqtt::Publish message;
    net::run_task(expect_delivered(hub_, wish_, message));
    EXPECT_THAT(message.topic, testing::MatchesRegex("devices/TempSensor/messages/devicebound/"
                                                     "%24.to=%2Fdevices%2FTempSensor%2Fmessages%2Fdevicebound"
                                                     "&%24.exp=20..-..-..T..%3A..%3A..\\.0000000Z"
                                                     "&%24.mid=m%2F1&alert=a%20b"));
    EXPECT_EQ(base::as_text(message.payload), "{\"on\":true}");
    EXPECT_EQ(message.qos, mqtt::Qos::at_least_once);
    EXPECT_FALSE(message.duplicate);
    EXPECT_EQ(waiting(), 0);
}

net::Task<> expect_pushed(TestHub& hub, MqttWish wish, Ask question) {
    Inbox inbox;
    wish.on_message = inbox.handler();
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const auto granted = co_await (*client)->subscribe(devicebound);
    EXPECT_TRUE(granted.has_value());
    const Caller owner = hub.owner();
    for (int i = 0; i < 5; ++i) {
        question.body = std::to_string(i);
        const auto sent = co_await hub.call(question, owner);
        EXPECT_EQ(sent.status, 204) << sent.body;
        const auto message = co_await inbox.next();
        EXPECT_TRUE(message.has_value());
        if (message) {
            EXPECT_EQ(base::as_text(message->payload), question.body);
        }
    }
}

TEST_F(DeviceboundMqtt, MessageForASubscribedDeviceArrivesAtOnce) {
    net::run_task(expect_pushed(hub_, wish_, message("")));
}

net::Task<> expect_at_most_once(TestHub& hub, MqttWish wish) {
    Inbox inbox;
    wish.on_message = inbox.handler();
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const std::vector<mqtt::Subscription> wanted{{devicebound.front().filter, mqtt::Qos::at_most_once}};
    const auto granted = co_await (*client)->subscribe(wanted);
    EXPECT_TRUE(granted.has_value());
    const auto message = co_await inbox.next();
    EXPECT_TRUE(message.has_value());
    if (message) {
        EXPECT_EQ(message->qos, mqtt::Qos::at_most_once);
    }
    co_await settle_all(hub, **client);
}

TEST_F(DeviceboundMqtt, QosIsTheGrantedOne) {
    ASSERT_EQ(send("x").status, 204);
    net::run_task(expect_at_most_once(hub_, wish_));
    EXPECT_EQ(waiting(), 0);
}

/// Subscribes, and goes away without PUBACK as soon as a message comes.
net::Task<> receive_and_vanish(TestHub& hub, MqttWish wish, mqtt::Publish& into) {
    std::unique_ptr<mqtt::Client> mine;
    net::Event gone;
    wish.on_message = [&](const mqtt::Publish& message) {
        into = message;
        mine.reset();
        gone.notify();
    };
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    mine = *std::move(client);
    auto subscribed = mine->subscribe(devicebound);
    (void)co_await std::move(subscribed);
    const bool vanished = co_await gone.wait(std::chrono::seconds(20));
    EXPECT_TRUE(vanished);
}

/// Connects without SUBSCRIBE and takes `count` messages.
net::Task<> resume(TestHub& hub, MqttWish wish, std::size_t count, std::vector<mqtt::Publish>& into) {
    Inbox inbox;
    wish.on_message = inbox.handler();
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    EXPECT_TRUE((*client)->session_present());
    while (into.size() < count) {
        auto message = co_await inbox.next();
        EXPECT_TRUE(message.has_value()) << into.size() << " of " << count;
        if (!message) co_return;
        into.push_back(*std::move(message));
    }
    co_await settle_all(hub, **client);
}

TEST_F(DeviceboundMqtt, UnacknowledgedMessageIsSentAgainAsADuplicateUnderItsPacketId) {
    ASSERT_EQ(send("x").status, 204);
    mqtt::Publish first;
    net::run_task(receive_and_vanish(hub_, wish_, first));
    EXPECT_FALSE(first.duplicate);
    EXPECT_EQ(waiting(), 1);
    std::vector<mqtt::Publish> again;
    net::run_task(resume(hub_, wish_, 1, again));
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again[0].duplicate);
    EXPECT_EQ(again[0].packet_id, first.packet_id);
    EXPECT_EQ(again[0].topic, first.topic);
    EXPECT_EQ(waiting(), 0);
}

TEST_F(DeviceboundMqtt, FewAreWithADeviceAtATimeAndAllComeInOrder) {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(send(std::to_string(i)).status, 204);
    mqtt::Publish first;
    net::run_task(receive_and_vanish(hub_, wish_, first));
    std::vector<mqtt::Publish> all;
    net::run_task(resume(hub_, wish_, 50, all));
    ASSERT_EQ(all.size(), 50U);
    std::size_t duplicates = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(base::as_text(all[i].payload), std::to_string(i));
        if (all[i].duplicate) ++duplicates;
    }
    EXPECT_GE(duplicates, 1U);
    EXPECT_LE(duplicates, 4U) << "so many were on their way to a device that acknowledged none";
    EXPECT_EQ(waiting(), 0);
}

net::Task<> connect_once(TestHub& hub, MqttWish wish, bool subscribe, bool& present) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    present = (*client)->session_present();
    if (subscribe) {
        const auto granted = co_await (*client)->subscribe(devicebound);
        EXPECT_TRUE(granted.has_value());
    }
    co_await (*client)->disconnect();
}

TEST_F(DeviceboundMqtt, SessionAndWhatWaitsForItSurviveARestartOfTheHub) {
    bool present = true;
    net::run_task(connect_once(hub_, wish_, true, present));
    EXPECT_FALSE(present);
    ASSERT_EQ(send("before").status, 204);
    hub_.restart();
    ASSERT_EQ(send("after").status, 204);
    std::vector<mqtt::Publish> messages;
    net::run_task(resume(hub_, wish_, 2, messages));
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(base::as_text(messages[0].payload), "before");
    EXPECT_EQ(base::as_text(messages[1].payload), "after");
}

TEST_F(DeviceboundMqtt, CleanSessionEndsTheOneBeforeAndLeavesNone) {
    bool present = true;
    net::run_task(connect_once(hub_, wish_, true, present));
    EXPECT_FALSE(present);
    net::run_task(connect_once(hub_, wish_, false, present));
    EXPECT_TRUE(present);
    auto clean = wish_;
    clean.clean_session = true;
    net::run_task(connect_once(hub_, clean, true, present));
    EXPECT_FALSE(present);
    net::run_task(connect_once(hub_, wish_, false, present));
    EXPECT_FALSE(present);
}

net::Task<> expect_nothing_unasked(TestHub& hub, MqttWish wish, Caller device) {
    Inbox inbox;
    wish.on_message = inbox.handler();
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    co_await settle_all(hub, **client);
    const Ask question{.target = "/devices/TempSensor/messages/devicebound"};
    const auto found = co_await hub.call(question, device);
    EXPECT_EQ(found.status, 200) << "the session has it";
    EXPECT_EQ(inbox.size(), 0U);
}

TEST_F(DeviceboundMqtt, NothingIsSentBeforeTheSubscription) {
    ASSERT_EQ(send("x").status, 204);
    net::run_task(expect_nothing_unasked(hub_, wish_, device()));
}

TEST_F(DeviceboundMqtt, SessionOfADeletedDeviceIsNotThatOfItsSuccessor) {
    bool present = true;
    net::run_task(connect_once(hub_, wish_, true, present));
    ASSERT_EQ(
        hub_.ask({.verb = http::Verb::delete_, .target = "/devices/TempSensor", .if_match = "*"}).status,
        204);
    hub_.register_device("TempSensor", identity_);
    present = true;
    net::run_task(connect_once(hub_, wish_, false, present));
    EXPECT_FALSE(present);
}

}  // namespace
}  // namespace hub_test
