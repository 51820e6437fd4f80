// SPDX-License-Identifier: Apache-2.0
#include "hub/hub_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"

namespace hub_test {
namespace {

std::string of(const azure::Properties& properties, std::string_view name) {
    for (const auto& [key, value] : properties)
        if (key == name) return value.value_or("null");
    return "missing";
}

TEST(HubEvent, HasTheFormOfTheRealOne) {
    const std::chrono::sys_time<std::chrono::milliseconds> now{std::chrono::milliseconds(1653677378534)};
    const auto event = hub::make_hub_event({.about = {"EdgeGateway", "mod1"},
                                            .source = "deviceLifecycleEvents",
                                            .schema = "moduleLifecycleNotification",
                                            .operation = "createModuleIdentity",
                                            .body = "{}"},
                                           "ContosoIotHub", "c5a4e6986c", now);
    EXPECT_EQ(event.origin, (trust::Identity{"EdgeGateway", "mod1"}));
    EXPECT_EQ(base::as_text(event.message.body), "{}");
    EXPECT_EQ(of(event.message.system, "content-type"), "application/json");
    EXPECT_EQ(of(event.message.system, "content-encoding"), "utf-8");
    EXPECT_EQ(of(event.message.system, "correlation-id"), "c5a4e6986c");
    EXPECT_EQ(of(event.message.system, "user-id"), "ContosoIotHub");
    EXPECT_EQ(of(event.message.application, "hubName"), "ContosoIotHub");
    EXPECT_EQ(of(event.message.application, "deviceId"), "EdgeGateway");
    EXPECT_EQ(of(event.message.application, "moduleId"), "mod1");
    EXPECT_EQ(of(event.message.application, "opType"), "createModuleIdentity");
    EXPECT_EQ(of(event.message.application, "iothub-message-schema"), "moduleLifecycleNotification");
    EXPECT_EQ(of(event.message.application, "operationTimestamp"), "2022-05-27T18:49:38.5340000Z");
    EXPECT_EQ(of(event.annotations, "iothub-connection-device-id"), "EdgeGateway");
    EXPECT_EQ(of(event.annotations, "iothub-connection-module-id"), "mod1");
    EXPECT_EQ(of(event.annotations, "iothub-message-source"), "deviceLifecycleEvents");
}

/// What the hub has told about `source`, as "opType deviceId[/moduleId]". Awaits `count` of them.
std::vector<std::string> told(const TestHub& hub, std::string_view source, std::size_t count) {
    std::vector<std::string> found;
    std::uint64_t next = 0;
    while (found.size() < count) {
        const auto answer = hub.ask({.target = "/messages/events?wait=20&from=" + std::to_string(next)});
        if (answer.body.empty()) break;
        for (const auto line : base::split(answer.body, '\n')) {
            if (line.empty()) continue;
            const auto document = boost::json::parse(line);
            next = document.at("offset").to_number<std::uint64_t>() + 1;
            const auto& properties = document.at("event").at("properties");
            if (properties.at("annotations").at("iothub-message-source").as_string() != source) continue;
            const auto& application = properties.at("application").as_object();
            std::string one(application.at("opType").as_string());
            one += " " + std::string(application.at("deviceId").as_string());
            if (application.contains("moduleId"))
                one += "/" + std::string(application.at("moduleId").as_string());
            found.push_back(std::move(one));
        }
    }
    return found;
}

TEST(HubEvents, IdentitiesThatComeAndGoAreTold) {
    const TestHub hub("[events]\nlifecycle = true\n");
    hub.put_device("EdgeGateway", R"({"deviceId":"EdgeGateway","capabilities":{"iotEdge":true}})");
    const auto changed = hub.ask({.verb = http::Verb::put,
                                  .target = "/devices/EdgeGateway",
                                  .body = R"({"deviceId":"EdgeGateway","statusReason":"x"})",
                                  .if_match = "*"});
    ASSERT_EQ(changed.status, 200) << changed.body;
    const auto gone =
        hub.ask({.verb = http::Verb::delete_, .target = "/devices/EdgeGateway", .if_match = "*"});
    ASSERT_EQ(gone.status, 204);
    EXPECT_THAT(
        told(hub, "deviceLifecycleEvents", 6),
        testing::ElementsAre(
            "createDeviceIdentity EdgeGateway", "createModuleIdentity EdgeGateway/$edgeAgent",
            "createModuleIdentity EdgeGateway/$edgeHub", "deleteModuleIdentity EdgeGateway/$edgeAgent",
            "deleteModuleIdentity EdgeGateway/$edgeHub", "deleteDeviceIdentity EdgeGateway"));
}

TEST(HubEvents, ConnectionsThatComeAndGoAreToldWithGrowingNumbers) {
    const TestHub hub("[events]\nconnection_state = true\n");
    const auto identity = hub.device_identity("TempSensor");
    hub.register_device("TempSensor", identity);
    ASSERT_TRUE(hub.try_connect({.device = "TempSensor", .identity = &identity}));
    EXPECT_THAT(told(hub, "deviceConnectionStateEvents", 2),
                testing::ElementsAre("deviceConnected TempSensor", "deviceDisconnected TempSensor"));
    const auto stored = hub.stored();
    ASSERT_EQ(stored.size(), 2U);
    const auto number = [&](std::size_t i) {
        const auto body = boost::json::parse(base::as_text(stored[i].event.message.body));
        return std::string(body.at("sequenceNumber").as_string());
    };
    EXPECT_EQ(number(0).size(), 64U);
    EXPECT_LT(number(0), number(1));
}

net::Task<> displace(const TestHub& hub, MqttWish wish) {
    auto first = co_await hub.connect(wish);
    auto second = co_await hub.connect(wish);
    EXPECT_TRUE(first.has_value() && second.has_value());
    if (!first || !second) co_return;
    const auto ended = co_await ended_within(**first, std::chrono::seconds(20));
    EXPECT_TRUE(ended.has_value());
    co_await (*second)->disconnect();
}

TEST(HubEvents, AConnectionThatIsDisplacedIsNoDisconnect) {
    const TestHub hub("[events]\nconnection_state = true\n");
    const auto identity = hub.device_identity("TempSensor");
    hub.register_device("TempSensor", identity);
    net::run_task(displace(hub, {.device = "TempSensor", .identity = &identity}));
    EXPECT_THAT(told(hub, "deviceConnectionStateEvents", 2),
                testing::ElementsAre("deviceConnected TempSensor", "deviceDisconnected TempSensor"));
}

boost::json::object body_of(const hub::Telemetry::Stored& stored) {
    return boost::json::parse(base::as_text(stored.event.message.body)).as_object();
}

TEST(HubEvents, WhatChangesInATwinIsTold) {
    const TestHub hub("[events]\ntwin_changes = true\n");
    hub.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
    const auto write = [&](http::Verb verb, const std::string& body) {
        const auto answer =
            hub.ask({.verb = verb, .target = "/twins/TempSensor", .body = body, .if_match = "*"});
        EXPECT_EQ(answer.status, 200) << answer.body;
    };
    write(http::Verb::patch, R"({"properties":{"desired":{"kept":1,"deep":{"a":1,"b":2},"gone":3}}})");
    write(http::Verb::patch,
          R"({"tags":{"site":"x"},"properties":{"desired":{"deep":{"b":5},"gone":null}}})");
    write(http::Verb::put, R"({"properties":{"desired":{"only":true}}})");
    EXPECT_THAT(
        told(hub, "twinChangeEvents", 3),
        testing::ElementsAre("updateTwin TempSensor", "updateTwin TempSensor", "replaceTwin TempSensor"));
    const auto stored = hub.stored();
    ASSERT_EQ(stored.size(), 3U);

    const auto patch = body_of(stored[1]);
    EXPECT_EQ(patch.at("tags"), boost::json::parse(R"({"site":"x"})"));
    EXPECT_FALSE(patch.contains("deviceId"));
    auto desired = patch.at("properties").at("desired").as_object();
    EXPECT_EQ(desired.at("$version").to_number<int>(), 3);
    const auto metadata = desired.at("$metadata").as_object();
    EXPECT_TRUE(metadata.contains("$lastUpdated"));
    EXPECT_FALSE(metadata.contains("kept"));
    EXPECT_TRUE(metadata.at("deep").as_object().contains("b"));
    EXPECT_FALSE(metadata.at("deep").as_object().contains("a"));
    desired.erase("$version");
    desired.erase("$metadata");
    EXPECT_EQ(desired, boost::json::parse(R"({"deep":{"b":5},"gone":null})").as_object());
    EXPECT_FALSE(patch.at("properties").as_object().contains("reported"));

    const auto whole = body_of(stored[2]);
    EXPECT_EQ(whole.at("deviceId").as_string(), "TempSensor");
    EXPECT_TRUE(whole.at("properties").at("desired").as_object().contains("only"));
    EXPECT_FALSE(whole.at("properties").at("desired").as_object().contains("kept"));
    EXPECT_TRUE(whole.at("properties").at("reported").as_object().contains("$version"));
    EXPECT_EQ(whole.at("etag").as_string(), hub.get("/twins/TempSensor").at("etag").as_string());
}

TEST(HubEvents, NothingIsToldUnlessItIsAskedFor) {
    const TestHub hub;
    const auto identity = hub.device_identity("TempSensor");
    hub.register_device("TempSensor", identity);
    ASSERT_TRUE(hub.try_connect({.device = "TempSensor", .identity = &identity}));
    EXPECT_EQ(hub.ask({.verb = http::Verb::delete_, .target = "/devices/TempSensor", .if_match = "*"}).status,
              204);
    EXPECT_TRUE(hub.stored().empty());
}

}  // namespace
}  // namespace hub_test
