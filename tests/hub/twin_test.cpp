// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "net/timer.hpp"
#include "test_hub.hpp"

/// Twins over the service API and over MQTT (hub.md 3.3, 5.5).
namespace hub_test {
namespace {

namespace json = boost::json;
using http::Verb;
using mqtt::Qos;
using testing::HasSubstr;
using testing::StartsWith;

class TwinTest : public testing::Test {
  protected:
    http::Response send(Verb verb, std::string target, std::string body, std::string if_match = {}) {
        return hub_.ask({.verb = verb,
                         .target = std::move(target),
                         .body = std::move(body),
                         .if_match = std::move(if_match)});
    }
    std::string refusal(Verb verb, std::string target, std::string body, std::string if_match = {}) {
        const auto answer = send(verb, std::move(target), std::move(body), std::move(if_match));
        return std::to_string(answer.status) + " " +
               std::string(answer.headers.get("iothub-errorcode").value_or(""));
    }

    TestHub hub_;
};

/// What a client has been sent, in order. On the client's loop.
struct Inbox {
    std::deque<mqtt::Publish> messages;
    net::Event arrived;

    net::Task<mqtt::Publish> next() {
        while (messages.empty()) {
            const bool woken = co_await arrived.wait(patience);
            if (!woken) throw std::runtime_error("nothing arrived");
        }
        auto first = std::move(messages.front());
        messages.pop_front();
        co_return first;
    }
};

/// A connected device or module with its inbox.
struct TwinClient {
    std::unique_ptr<mqtt::Client> client;
    std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();

    net::Task<> open(TestHub& hub, MqttWish wish, std::vector<mqtt::Subscription> subscriptions) {
        auto connected = co_await hub.connect(wish);
        if (!connected) throw std::runtime_error(connected.error().text());
        client = *std::move(connected);
        client->on_message([to = inbox](const mqtt::Publish& message) {
            to->messages.push_back(message);
            to->arrived.notify();
        });
        if (subscriptions.empty()) co_return;
        const auto granted = co_await client->subscribe(std::move(subscriptions));
        if (!granted) throw std::runtime_error(granted.error().text());
    }
    net::Task<> publish(std::string topic, std::string body, Qos qos) {
        const auto bytes = base::as_bytes(body);
        base::Bytes payload(bytes.begin(), bytes.end());
        const auto sent = co_await client->publish(std::move(topic), std::move(payload), qos);
        EXPECT_TRUE(sent.has_value()) << sent.error().text();
    }
    /// Publishes, and gives what comes next.
    net::Task<mqtt::Publish> ask(std::string topic, std::string body, Qos qos = Qos::at_most_once) {
        co_await publish(std::move(topic), std::move(body), qos);
        auto answer = co_await inbox->next();
        co_return answer;
    }
};

const std::string twin_get = "$iothub/twin/GET/?$rid=";
const std::string reported = "$iothub/twin/PATCH/properties/reported/?$rid=";
const mqtt::Subscription answers{"$iothub/twin/res/#", Qos::at_most_once};
const mqtt::Subscription desired{"$iothub/twin/PATCH/properties/desired/#", Qos::at_least_once};

void expect_message(const mqtt::Publish& message, std::string_view topic, std::string_view body) {
    EXPECT_EQ(message.topic, topic);
    EXPECT_EQ(base::as_text(message.payload), body);
}

TEST_F(TwinTest, IsReadPatchedAndReplacedByServices) {
    const auto device = hub_.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
    const auto fresh = hub_.ask({.target = "/twins/TempSensor?api-version=2021-04-12"});
    EXPECT_EQ(fresh.status, 200);
    EXPECT_EQ(fresh.headers.get("ETag"), "\"AAAAAAAAAAE=\"");
    EXPECT_EQ(fresh.headers.get("Content-Type"), "application/json; charset=utf-8");
    EXPECT_THAT(fresh.body, StartsWith(R"({"deviceId":"TempSensor","etag":"AAAAAAAAAAE=","deviceEtag":")" +
                                       std::string(device.at("etag").as_string()) + '"'));

    const auto patched =
        send(Verb::patch, "/twins/TempSensor",
             R"({"tags":{"place":"hall","floor":2},"properties":{"desired":{"a":{"b":20.5}}}})");
    EXPECT_EQ(patched.status, 200);
    EXPECT_EQ(patched.headers.get("ETag"), "\"AAAAAAAAAAI=\"");
    EXPECT_THAT(patched.body, HasSubstr(R"("version":3,"tags":{"place":"hall","floor":2},)"
                                        R"("properties":{"desired":{"a":{"b":20.5},"$metadata":{)"));
    const auto merged =
        send(Verb::patch, "/twins/TempSensor", R"({"tags":{"floor":null}})", "\"AAAAAAAAAAI=\"");
    EXPECT_THAT(merged.body, HasSubstr(R"("version":4,"tags":{"place":"hall"},)"));
    const auto replaced = send(Verb::put, "/twins/TempSensor", R"({"tags":{"x":1}})", "\"*\"");
    EXPECT_THAT(replaced.body,
                HasSubstr(R"("version":5,"tags":{"x":1},"properties":{"desired":{"a":{"b":20.5},)"));
    EXPECT_EQ(hub_.ask({.target = "/twins/TempSensor"}).body, replaced.body);
}

TEST_F(TwinTest, OfAModuleIsOneOfItsOwn) {
    hub_.put_device("EdgeGateway", R"({"deviceId":"EdgeGateway","capabilities":{"iotEdge":true}})");
    const auto patched = send(Verb::patch, "/twins/EdgeGateway/modules/$edgeHub", R"({"tags":{"a":1}})");
    EXPECT_THAT(patched.body,
                StartsWith(R"({"deviceId":"EdgeGateway","moduleId":"$edgeHub","etag":"AAAAAAAAAAI=")"));
    EXPECT_THAT(hub_.ask({.target = "/twins/EdgeGateway/modules/$edgeHub"}).body,
                HasSubstr(R"("tags":{"a":1})"));
    EXPECT_THAT(hub_.ask({.target = "/twins/EdgeGateway"}).body, HasSubstr(R"("tags":{})"));
}

TEST_F(TwinTest, IsRefusedWithTheCodeOfTheReason) {
    hub_.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
    constexpr auto tags = R"({"tags":{"a":1}})";
    struct Case {
        Verb verb;
        std::string target, body, if_match, refusal;
    };
    const std::string large(4096, 'v');
    const std::vector<Case> cases = {
        {Verb::get, "/twins/nobody", "", "", "404 DeviceNotFound"},
        {Verb::get, "/twins/nobody/modules/m", "", "", "404 DeviceNotFound"},
        {Verb::get, "/twins/TempSensor/modules/m", "", "", "404 ModuleNotFound"},
        {Verb::patch, "/twins/nobody", tags, "", "404 DeviceNotFound"},
        {Verb::put, "/twins/TempSensor/modules/m", tags, "", "404 ModuleNotFound"},
        {Verb::patch, "/twins/TempSensor", tags, "\"AAAAAAAAAAI=\"", "412 PreconditionFailed"},
        {Verb::put, "/twins/TempSensor", R"({"properties":{"desired":{"$version":7}}})", "*",
         "412 PreconditionFailed"},
        {Verb::patch, "/twins/TempSensor", "", "", "400 IotHubFormatError"},
        {Verb::patch, "/twins/TempSensor", "[1]", "", "400 IotHubFormatError"},
        {Verb::patch, "/twins/TempSensor", std::string(100'000, '['), "", "400 IotHubFormatError"},
        {Verb::patch, "/twins/TempSensor", R"({"tags":{"a.b":1}})", "", "400 ArgumentInvalid"},
        {Verb::patch, "/twins/TempSensor", R"({"tags":{"a":")" + large + R"(","b":")" + large + R"("}})", "",
         "400 ArgumentInvalid"},
        {Verb::delete_, "/twins/TempSensor", "", "", "405 GenericMethodNotAllowed"},
    };
    for (const auto& one : cases)
        EXPECT_EQ(refusal(one.verb, one.target, one.body, one.if_match), one.refusal)
            << one.target << " " << one.body.substr(0, 80);
    for (const auto* policy : {"device", "registryRead", "registryReadWrite"}) {
        const Caller caller{nullptr, hub_.policy_token(policy)};
        EXPECT_EQ(hub_.ask({.target = "/twins/TempSensor"}, caller).status, 401) << policy;
    }
    EXPECT_EQ(hub_.ask({.target = "/twins/TempSensor"}, {nullptr, hub_.policy_token("service")}).status, 200);
}

net::Task<> device_reads_and_reports(TestHub& hub, MqttWish wish, std::string service_target) {
    TwinClient device;
    const std::vector<mqtt::Subscription> feeds{answers};
    co_await device.open(hub, wish, feeds);
    const auto first = co_await device.ask(twin_get + "1", " ");
    expect_message(first, "$iothub/twin/res/200/?$rid=1",
                   R"({"desired":{"$version":1},"reported":{"$version":1}})");
    EXPECT_EQ(first.qos, Qos::at_most_once);
    const auto second = co_await device.ask(reported + "a%20b", R"({"t":20.5,"u":{"v":1}})");
    expect_message(second, "$iothub/twin/res/204/?$rid=a%20b&$version=2", "");
    // The Python SDK publishes at QoS 1 and waits for the PUBACK.
    const auto third = co_await device.ask(reported + "3", R"({"u":{"v":null}})", Qos::at_least_once);
    expect_message(third, "$iothub/twin/res/204/?$rid=3&$version=3", "");
    const auto fourth = co_await device.ask(twin_get + "4", "", Qos::at_least_once);
    expect_message(fourth, "$iothub/twin/res/200/?$rid=4",
                   R"({"desired":{"$version":1},"reported":{"t":20.5,"u":{},"$version":3}})");
    const Caller owner = hub.owner();
    const Ask question{.target = service_target};
    const auto shown = co_await hub.call(question, owner);
    EXPECT_THAT(shown.body, HasSubstr(R"("reported":{"t":20.5,"u":{},"$metadata":{"$lastUpdated":)"));
    EXPECT_THAT(shown.body, HasSubstr(R"("connectionState":"Connected")"));
}

net::Task<> device_asks_too_often(TestHub& hub, MqttWish wish) {
    TwinClient device;
    const std::vector<mqtt::Subscription> feeds{answers};
    co_await device.open(hub, wish, feeds);
    // A slow machine may need more than a second for two of them.
    mqtt::Publish answer;
    for (int i = 0; i < 200 && !answer.topic.starts_with("$iothub/twin/res/429/"); ++i)
        answer = co_await device.ask(twin_get + "1", "");
    EXPECT_EQ(answer.topic, "$iothub/twin/res/429/?$rid=1");
    EXPECT_THAT(std::string(base::as_text(answer.payload)), HasSubstr(R"("errorCode":429001)"));
    for (int i = 0; i < 200 && !answer.topic.starts_with("$iothub/twin/res/429/?$rid=2"); ++i)
        answer = co_await device.ask(reported + "2", R"({"a":1})", Qos::at_least_once);
    EXPECT_EQ(answer.topic, "$iothub/twin/res/429/?$rid=2");
}

TEST(ThrottledTwin, IsRefusedOverTheRateWithTheErrorInTheBody) {
    TestHub hub("[throttle]\ntwin_reads_per_second = 1\ntwin_updates_per_second = 1\n");
    const auto identity = hub.device_identity("TempSensor");
    hub.register_device("TempSensor", identity);
    net::run_task(device_asks_too_often(hub, {.device = "TempSensor", .identity = &identity}));
}

TEST_F(TwinTest, IsReadAndReportedByTheDevice) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    net::run_task(
        device_reads_and_reports(hub_, {.device = "TempSensor", .identity = &identity}, "/twins/TempSensor"));
}

TEST_F(TwinTest, IsReadAndReportedByAModule) {
    hub_.put_device("EdgeGateway", R"({"deviceId":"EdgeGateway"})");
    const auto answer = send(Verb::put, "/devices/EdgeGateway/modules/mod1", R"({"moduleId":"mod1"})");
    const auto module = json::parse(answer.body);
    const std::string key(module.at("authentication").at("symmetricKey").at("primaryKey").as_string());
    net::run_task(device_reads_and_reports(
        hub_,
        {.device = "EdgeGateway", .module = "mod1", .token = hub_.identity_token("EdgeGateway", "mod1", key)},
        "/twins/EdgeGateway/modules/mod1"));
}

net::Task<> device_is_refused(TestHub& hub, const support::Identity& identity) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    TwinClient device;
    const std::vector<mqtt::Subscription> feeds{answers};
    co_await device.open(hub, wish, feeds);
    struct Case {
        std::string body;
        int code;
    };
    const std::string large = R"({"a":")" + std::string(4097, 'v') + R"("})";
    const std::vector<Case> cases = {{"", 400006},
                                     {"{", 400006},
                                     {std::string(100'000, '['), 400006},
                                     {R"({"$a":1})", 400004},
                                     {R"({"a":4503599627370497})", 400004},
                                     {large, 400004}};
    for (const auto& [body, code] : cases) {
        const auto answer = co_await device.ask(reported + "7", body, Qos::at_least_once);
        EXPECT_EQ(answer.topic, "$iothub/twin/res/400/?$rid=7");
        const auto error = json::parse(base::as_text(answer.payload)).as_object();
        std::vector<std::string> members;
        for (const auto& member : error) members.emplace_back(member.key());
        EXPECT_THAT(members,
                    testing::ElementsAre("errorCode", "trackingId", "message", "info", "timestampUtc"));
        EXPECT_EQ(error.at("errorCode").as_int64(), code) << body.substr(0, 40);
        EXPECT_TRUE(error.at("info").as_object().empty());
    }
    const auto after = co_await device.ask(twin_get + "8", "");
    expect_message(after, "$iothub/twin/res/200/?$rid=8",
                   R"({"desired":{"$version":1},"reported":{"$version":1}})");
}

TEST_F(TwinTest, TellsADeviceWhatWasWrongInTheBody) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    CapturedLog log;
    net::run_task(device_is_refused(hub_, identity));
    EXPECT_THAT(log.text(), HasSubstr("twin.refused"));
}

net::Task<> device_hears_of_desired(TestHub& hub, const support::Identity& identity) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    TwinClient device;
    const std::vector<mqtt::Subscription> feeds{answers, desired};
    co_await device.open(hub, wish, feeds);
    const Caller owner = hub.owner();
    const std::vector<Ask> writes = {
        {.verb = Verb::patch,
         .target = "/twins/TempSensor",
         .body = R"({"properties":{"desired":{"a":1,"b":2}}})"},
        {.verb = Verb::patch, .target = "/twins/TempSensor", .body = R"({"tags":{"x":1}})"},
        {.verb = Verb::patch,
         .target = "/twins/TempSensor",
         .body = R"({"properties":{"desired":{"a":null}}})"},
        {.verb = Verb::put,
         .target = "/twins/TempSensor",
         .body = R"({"properties":{"desired":{"c":3,"d":null}}})"}};
    for (const auto& write : writes) {
        const auto answer = co_await hub.call(write, owner);
        EXPECT_EQ(answer.status, 200) << answer.body;
    }
    const std::string topic = "$iothub/twin/PATCH/properties/desired/?$version=";
    const auto first = co_await device.inbox->next();
    expect_message(first, topic + "2", R"({"a":1,"b":2,"$version":2})");
    EXPECT_EQ(first.qos, Qos::at_least_once);
    const auto second = co_await device.inbox->next();
    expect_message(second, topic + "3", R"({"a":null,"$version":3})");
    const auto third = co_await device.inbox->next();
    expect_message(third, topic + "4", R"({"c":3,"$version":4})");
    // Nothing else came: the write of tags is no matter of the device's.
    const auto last = co_await device.ask(twin_get + "1", "");
    expect_message(last, "$iothub/twin/res/200/?$rid=1",
                   R"({"desired":{"c":3,"$version":4},"reported":{"$version":1}})");
}

TEST_F(TwinTest, NotifiesTheDeviceOfDesiredProperties) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    net::run_task(device_hears_of_desired(hub_, identity));
}

net::Task<> device_has_not_subscribed(TestHub& hub, const support::Identity& identity) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    TwinClient device;
    const std::vector<mqtt::Subscription> feeds{};
    co_await device.open(hub, wish, feeds);
    co_await device.publish(reported + "1", R"({"a":1})", Qos::at_least_once);
    co_await device.publish(twin_get + "2", "", Qos::at_least_once);
    const std::vector<mqtt::Subscription> late{answers};
    const auto granted = co_await device.client->subscribe(late);
    EXPECT_TRUE(granted.has_value());
    const auto first = co_await device.ask(twin_get + "3", "");
    expect_message(first, "$iothub/twin/res/200/?$rid=3",
                   R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})");
}

TEST_F(TwinTest, RequestBeforeTheSubscriptionIsDoneAndItsAnswerDropped) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    net::run_task(device_has_not_subscribed(hub_, identity));
}

TEST_F(TwinTest, HoldsTheModelThatTheDeviceConnectsWith) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    const auto connected = hub_.try_connect(
        {.device = "TempSensor",
         .identity = &identity,
         .user_name =
             "ContosoIotHub/TempSensor/?api-version=2021-04-12&model-id=dtmi%3Aexample%3AThermostat%3B1"});
    ASSERT_TRUE(connected.has_value()) << connected.error().text();
    // A write of ours goes behind the one of the connect, on the one writer thread.
    const auto answer = send(Verb::patch, "/twins/TempSensor", R"({"tags":{"a":1}})");
    EXPECT_THAT(answer.body, HasSubstr(R"("modelId":"dtmi:example:Thermostat;1","version":3)"));
}

TEST_F(TwinTest, OfADeviceMadeAnewIsANewOne) {
    hub_.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
    send(Verb::patch, "/twins/TempSensor", R"({"tags":{"a":1}})");
    send(Verb::delete_, "/devices/TempSensor", "", "*");
    EXPECT_EQ(refusal(Verb::get, "/twins/TempSensor", ""), "404 DeviceNotFound");
    hub_.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
    EXPECT_THAT(hub_.ask({.target = "/twins/TempSensor"}).body, HasSubstr(R"("version":2,"tags":{})"));
}

}  // namespace
}  // namespace hub_test
