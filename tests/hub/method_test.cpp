// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "test_hub.hpp"

/// Direct methods through the hub (hub.md 3.4, 5.8).
namespace hub_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class MethodTest : public testing::Test {
  protected:
    MethodTest() { hub_.register_device("TempSensor", identity_); }
    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");
    const MqttWish wish_{.device = "TempSensor", .identity = &identity_};
};

Ask method_call(const std::string& target, std::string body) {
    return {.verb = http::Verb::post, .target = target + "?api-version=2021-04-12", .body = std::move(body)};
}
Ask method_call(std::string body) {
    return method_call("/twins/TempSensor/methods", std::move(body));
}

/// A device that answers each request at once.
struct Device {
    std::string status = "200";
    std::string payload = R"({"done":true})";
    mqtt::Qos qos = mqtt::Qos::at_most_once;
    std::string filter = "$iothub/methods/POST/#";
    std::vector<mqtt::Publish> requests{};

    /// Subscribes `client` and answers from then on.
    net::Task<> serve(mqtt::Client& client, net::TaskGroup& answers) {
        client.on_message([this, &client, &answers](const mqtt::Publish& request) {
            requests.push_back(request);
            const auto rid = request.topic.substr(request.topic.find("?$rid="));
            answers.spawn("answer", answer(client, "$iothub/methods/res/" + status + "/" + rid));
        });
        const std::vector<mqtt::Subscription> subscriptions{{filter, mqtt::Qos::at_most_once}};
        const auto granted = co_await client.subscribe(subscriptions);
        EXPECT_TRUE(granted.has_value());
    }
    net::Task<> answer(mqtt::Client& client, std::string topic) {
        const auto body = base::bytes_of(payload);
        const auto sent = co_await client.publish(topic, body, qos);
        EXPECT_TRUE(sent.has_value()) << sent.error().text();
    }
};

net::Task<http::Response> call_while_served(TestHub& hub, MqttWish wish, Device& device, Ask ask) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    net::TaskGroup answers;
    co_await device.serve(**client, answers);
    const Caller owner = hub.owner();
    auto response = co_await hub.call(ask, owner);
    co_await answers.drained();
    co_return response;
}

TEST_F(MethodTest, ReachesTheDeviceAndBringsBackItsAnswer) {
    Device device;
    device.payload = R"({"t": 21.50})";
    const auto response = net::run_task_for(call_while_served(
        hub_, wish_, device, method_call(R"({"methodName":"getTemperature","payload":{"unit": 1.0}})")));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.body, R"({"status":200,"payload":{"t": 21.50}})");
    EXPECT_THAT(std::string(response.headers.get("Content-Type").value_or("")),
                StartsWith("application/json"));
    ASSERT_EQ(device.requests.size(), 1U);
    EXPECT_THAT(device.requests[0].topic, StartsWith("$iothub/methods/POST/getTemperature/?$rid="));
    EXPECT_EQ(device.requests[0].qos, mqtt::Qos::at_most_once);
    EXPECT_EQ(base::as_text(device.requests[0].payload), R"({"unit": 1.0})");
}

TEST_F(MethodTest, StatusOfTheDeviceIsNotOursAndItsAnswerMayBeEmptyAndQos1) {
    Device device{.status = "-17", .payload = "", .qos = mqtt::Qos::at_least_once};
    const auto response =
        net::run_task_for(call_while_served(hub_, wish_, device, method_call(R"({"methodName":"m"})")));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"status":-17,"payload":null})");
    EXPECT_TRUE(device.requests.at(0).payload.empty());
}

TEST_F(MethodTest, ReachesAModule) {
    const auto edge = hub_.device_identity("EdgeGateway");
    hub_.register_device("EdgeGateway", edge);
    const auto target = "/devices/EdgeGateway/modules/m1";
    const auto made = hub_.ask(
        {.verb = http::Verb::put, .target = target, .body = R"({"deviceId":"EdgeGateway","moduleId":"m1"})"});
    ASSERT_EQ(made.status, 200) << made.body;
    const auto module = boost::json::parse(made.body);
    const std::string key(
        module.at("authentication").at("symmetricKey").at("primaryKey").as_string().c_str());
    const MqttWish wish{
        .device = "EdgeGateway", .module = "m1", .token = hub_.identity_token("EdgeGateway", "m1", key)};
    Device device;
    const auto response = net::run_task_for(call_while_served(
        hub_, wish, device, method_call("/twins/EdgeGateway/modules/m1/methods", R"({"methodName":"m"})")));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(hub_.ask(method_call("/twins/EdgeGateway/methods", R"({"methodName":"m"})")).status, 404)
        << "its device is another identity, and not connected";
}

TEST_F(MethodTest, SubscriptionToOneMethodGetsThatMethodAlone) {
    Device device{.filter = "$iothub/methods/POST/reboot/#"};
    EXPECT_EQ(
        net::run_task_for(call_while_served(hub_, wish_, device, method_call(R"({"methodName":"reboot"})")))
            .status,
        200);
    EXPECT_EQ(
        net::run_task_for(call_while_served(hub_, wish_, device, method_call(R"({"methodName":"other"})")))
            .status,
        404);
    EXPECT_EQ(device.requests.size(), 1U);
}

TEST_F(MethodTest, AnswersThatAreNoJsonOrTooLargeAreABadGateway) {
    for (const auto& payload : {std::string("{"), "\"" + std::string(128 * 1024, 'x') + "\""}) {
        Device device{.payload = payload};
        const auto response =
            net::run_task_for(call_while_served(hub_, wish_, device, method_call(R"({"methodName":"m"})")));
        EXPECT_EQ(response.status, 502);
        EXPECT_EQ(response.headers.get("iothub-errorcode"), "GenericBadGateway");
        EXPECT_THAT(response.body, HasSubstr("502000"));
    }
}

boost::json::object inner(const http::Response& response) {
    const auto outer = boost::json::parse(response.body).as_object();
    return boost::json::parse(outer.at("Message").as_string()).as_object();
}

TEST_F(MethodTest, OfAnAbsentDeviceIsNotOnline) {
    const auto response = hub_.ask(method_call(R"({"methodName":"m","payload":null})"));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.headers.get("iothub-errorcode"), "DeviceNotOnline");
    const auto why = inner(response);
    EXPECT_EQ(why.at("errorCode").as_int64(), 404103);
    EXPECT_EQ(why.at("message").as_string(), "Timed out waiting for device to connect.");
    EXPECT_EQ(why.at("info").at("timeout").as_string(), "00:00:00");
    EXPECT_EQ(why.at("trackingId").as_string(), *response.headers.get("x-ms-request-id"));
}

net::Task<http::Response> call_while_connected(TestHub& hub, MqttWish wish, Ask ask) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    const std::vector<mqtt::Subscription> other{{"$iothub/twin/res/#", mqtt::Qos::at_most_once}};
    const auto granted = co_await (*client)->subscribe(other);
    EXPECT_TRUE(granted.has_value());
    const Caller owner = hub.owner();
    auto response = co_await hub.call(ask, owner);
    co_return response;
}

TEST_F(MethodTest, OfADeviceThatHasNotSubscribedIsNotOnline) {
    const auto response =
        net::run_task_for(call_while_connected(hub_, wish_, method_call(R"({"methodName":"m"})")));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(inner(response).at("errorCode").as_int64(), 404103);
}

/// Takes requests and never answers.
net::Task<http::Response> call_in_vain(TestHub& hub, MqttWish wish, Ask ask, std::string wrong_answer) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    net::TaskGroup answers;
    Device device;
    (*client)->on_message([&](const mqtt::Publish&) {
        if (!wrong_answer.empty()) answers.spawn("answer", device.answer(**client, wrong_answer));
    });
    const std::vector<mqtt::Subscription> all{{"$iothub/methods/POST/#", mqtt::Qos::at_most_once}};
    const auto granted = co_await (*client)->subscribe(all);
    EXPECT_TRUE(granted.has_value());
    const Caller owner = hub.owner();
    auto response = co_await hub.call(ask, owner);
    co_await answers.drained();
    EXPECT_TRUE((*client)->is_open()) << "an answer that nobody waits for is ignored";
    co_return response;
}

TEST_F(MethodTest, WithoutAnAnswerIsATimeoutAndAStrayOneIsIgnored) {
    const auto response = net::run_task_for(
        call_in_vain(hub_, wish_, method_call(R"({"methodName":"m","responseTimeoutInSeconds":5})"),
                     "$iothub/methods/res/200/?$rid=0"));
    EXPECT_EQ(response.status, 504);
    EXPECT_EQ(response.headers.get("iothub-errorcode"), "GatewayTimeout");
    const auto why = inner(response);
    EXPECT_EQ(why.at("errorCode").as_int64(), 504101);
    EXPECT_EQ(why.at("message").as_string(), "Timed out waiting for the response from device.");
}

net::Task<> hold(TestHub& hub, Ask ask, http::Response& into) {
    const Caller owner = hub.owner();
    into = co_await hub.call(ask, owner);
}

/// Calls first, connects and subscribes afterwards.
net::Task<http::Response> call_before_it_is_there(TestHub& hub, MqttWish wish, Device& device, Ask ask) {
    http::Response response;
    net::TaskGroup callers;
    callers.spawn("caller", hold(hub, ask, response));
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    net::TaskGroup answers;
    co_await device.serve(**client, answers);
    co_await callers.drained();
    co_await answers.drained();
    co_return response;
}

TEST_F(MethodTest, WaitsForTheDeviceToSubscribe) {
    const auto ask = method_call(R"({"methodName":"m","connectTimeoutInSeconds":60})");
    for (const std::string filter : {"$iothub/methods/POST/#", "$iothub/methods/POST/m/#"}) {
        Device device{.filter = filter};
        const auto response = net::run_task_for(call_before_it_is_there(hub_, wish_, device, ask));
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(device.requests.size(), 1U);
    }
}

net::Task<> many_calls(TestHub& hub, MqttWish wish, std::vector<http::Response>& responses) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    Device device;
    net::TaskGroup answers;
    co_await device.serve(**client, answers);
    net::TaskGroup callers;
    for (auto& response : responses)
        callers.spawn("caller", hold(hub, method_call(R"({"methodName":"m"})"), response));
    co_await callers.drained();
    co_await answers.drained();
    std::set<std::string> topics;
    for (const auto& request : device.requests) topics.insert(request.topic);
    EXPECT_EQ(topics.size(), responses.size()) << "each call has a $rid of its own";
}

TEST_F(MethodTest, SeveralCallsWaitSideBySide) {
    std::vector<http::Response> responses(8);
    net::run_task(many_calls(hub_, wish_, responses));
    for (const auto& response : responses) EXPECT_EQ(response.status, 200);
}

net::Task<> forge_then_answer(mqtt::Client& stranger, mqtt::Client& client, std::string rid) {
    const std::string forged = "$iothub/methods/res/666/" + rid;
    const auto payload = base::bytes_of("1");
    // Acknowledged, so it was looked at before the right one is sent.
    const auto sent = co_await stranger.publish(forged, payload, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value());
    Device device;
    const std::string right = "$iothub/methods/res/200/" + rid;
    co_await device.answer(client, right);
}

net::Task<> answer_for_another(TestHub& hub, MqttWish wish, MqttWish other, http::Response& response) {
    auto client = co_await hub.connect(wish);
    auto stranger = co_await hub.connect(other);
    EXPECT_TRUE(client.has_value() && stranger.has_value());
    net::TaskGroup answers;
    (*client)->on_message([&](const mqtt::Publish& request) {
        const auto rid = request.topic.substr(request.topic.find("?$rid="));
        answers.spawn("both", forge_then_answer(**stranger, **client, rid));
    });
    const std::vector<mqtt::Subscription> all{{"$iothub/methods/POST/#", mqtt::Qos::at_most_once}};
    const auto granted = co_await (*client)->subscribe(all);
    EXPECT_TRUE(granted.has_value());
    const Caller owner = hub.owner();
    const Ask ask = method_call(R"({"methodName":"m"})");
    response = co_await hub.call(ask, owner);
    co_await answers.drained();
}

TEST_F(MethodTest, AnotherDeviceCannotAnswerForIt) {
    const auto other = hub_.device_identity("Other");
    hub_.register_device("Other", other);
    http::Response response;
    net::run_task(answer_for_another(hub_, wish_, {.device = "Other", .identity = &other}, response));
    EXPECT_EQ(response.body, R"({"status":200,"payload":{"done":true}})");
}

TEST_F(MethodTest, BadCallsHaveTheirCodes) {
    struct Bad {
        Ask ask;
        int status;
        std::string_view error;
    };
    const std::string name = R"({"methodName":"m"})";
    const std::vector<Bad> cases{
        {method_call("/twins/Nobody/methods", name), 404, "DeviceNotFound"},
        {method_call("/twins/Nobody/modules/m/methods", name), 404, "DeviceNotFound"},
        {method_call("/twins/TempSensor/modules/m/methods", name), 404, "ModuleNotFound"},
        {method_call("{"), 400, "IotHubFormatError"},
        {method_call("{}"), 400, "ArgumentInvalid"},
        {method_call(R"({"methodName":"m","responseTimeoutInSeconds":1})"), 400, "ArgumentInvalid"},
        {method_call(R"({"methodName":"m","payload":")" + std::string(128 * 1024, 'x') + "\"}"), 413,
         "MessageTooLarge"},
        {{.target = "/twins/TempSensor/methods"}, 405, "GenericMethodNotAllowed"}};
    for (const auto& bad : cases) {
        const auto response = hub_.ask(bad.ask);
        EXPECT_EQ(response.status, bad.status) << response.body;
        EXPECT_EQ(response.headers.get("iothub-errorcode"), bad.error);
    }
    for (const auto* policy : {"registryReadWrite", "device"}) {
        const auto response = hub_.ask(method_call(name), {nullptr, hub_.policy_token(policy)});
        EXPECT_EQ(response.status, 401) << policy;
    }
    EXPECT_EQ(hub_.ask(method_call(name), {nullptr, hub_.policy_token("service")}).status, 404);
}

net::Task<> hold_over_the_end(std::shared_ptr<TestHub> hub, MqttWish wish, http::Response& response) {
    auto client = co_await hub->connect(wish);
    EXPECT_TRUE(client.has_value());
    (*client)->on_message([hub](const mqtt::Publish&) { hub->hub().stop(); });
    const std::vector<mqtt::Subscription> all{{"$iothub/methods/POST/#", mqtt::Qos::at_most_once}};
    const auto granted = co_await (*client)->subscribe(all);
    EXPECT_TRUE(granted.has_value());
    const Caller owner = hub->owner();
    const Ask ask = method_call(R"({"methodName":"m","responseTimeoutInSeconds":300})");
    response = co_await hub->call(ask, owner);
}

TEST(MethodAtTheEnd, ACallThatWaitsIsToldThatTheHubEnds) {
    const auto hub = std::make_shared<TestHub>();
    const auto identity = hub->device_identity("TempSensor");
    hub->register_device("TempSensor", identity);
    http::Response response;
    net::run_task(hold_over_the_end(hub, {.device = "TempSensor", .identity = &identity}, response));
    EXPECT_EQ(response.status, 503);
}

}  // namespace
}  // namespace hub_test
