// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"

/// What ends a live session, and what leaves it alone.
namespace hub_test {
namespace {

const base::Bytes nothing;

class SessionEndTest : public testing::Test {
  protected:
    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");
};

/// Connects, lets `question` change something, and tells whether that ended the session.
net::Task<> expect_ended_by(TestHub& hub, MqttWish wish, Ask question) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    const Caller owner = hub.owner();
    const auto answer = co_await hub.call(question, owner);
    EXPECT_LT(answer.status, 300) << answer.body;
    const auto ended = co_await ended_within(**client, patience);
    EXPECT_TRUE(ended.has_value()) << "the session lived on";
}

std::string with(boost::json::object document, std::string_view name, boost::json::value value) {
    document[name] = std::move(value);
    return boost::json::serialize(document);
}

TEST_F(SessionEndTest, DisablingTheDeviceEndsItsSession) {
    const auto device = hub_.register_device("TempSensor", identity_);
    net::run_task(expect_ended_by(hub_, {.device = "TempSensor", .identity = &identity_},
                                  {.verb = http::Verb::put,
                                   .target = "/devices/TempSensor",
                                   .body = with(device, "status", "disabled"),
                                   .if_match = "*"}));
}

TEST_F(SessionEndTest, DeletingTheDeviceEndsItsSession) {
    hub_.register_device("TempSensor", identity_);
    net::run_task(
        expect_ended_by(hub_, {.device = "TempSensor", .identity = &identity_},
                        {.verb = http::Verb::delete_, .target = "/devices/TempSensor", .if_match = "*"}));
}

TEST_F(SessionEndTest, ReplacingTheThumbprintEndsItsSession) {
    const auto device = hub_.register_device("TempSensor", identity_);
    const auto next = hub_.device_identity("TempSensor");
    auto changed = device;
    changed["authentication"].as_object()["x509Thumbprint"] = boost::json::object{
        {"primaryThumbprint", thumbprint(next)}, {"secondaryThumbprint", thumbprint(next)}};
    net::run_task(expect_ended_by(hub_, {.device = "TempSensor", .identity = &identity_},
                                  {.verb = http::Verb::put,
                                   .target = "/devices/TempSensor",
                                   .body = boost::json::serialize(changed),
                                   .if_match = "*"}));
}

TEST_F(SessionEndTest, ReKeyingEndsTheSessionOfAToken) {
    const auto device = hub_.put_device("SasSensor", R"({"deviceId":"SasSensor"})");
    const std::string key(device.at("authentication").at("symmetricKey").at("primaryKey").as_string());
    auto changed = device;
    const auto fresh = base::to_base64(base::Bytes(32, std::byte{7}));
    changed["authentication"].as_object()["symmetricKey"] =
        boost::json::object{{"primaryKey", fresh}, {"secondaryKey", fresh}};
    net::run_task(expect_ended_by(hub_,
                                  {.device = "SasSensor", .token = hub_.identity_token("SasSensor", "", key)},
                                  {.verb = http::Verb::put,
                                   .target = "/devices/SasSensor",
                                   .body = boost::json::serialize(changed),
                                   .if_match = "*"}));
}

net::Task<> expect_alive_after(TestHub& hub, const support::Identity& identity, Ask question) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    const Caller owner = hub.owner();
    const auto answer = co_await hub.call(question, owner);
    EXPECT_LT(answer.status, 300) << answer.body;
    // The change was posted to the session's loop before the answer came; a publish behind it proves the
    // session.
    const auto sent = co_await (*client)->publish(own_topic, nothing, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value()) << sent.error().text();
}

TEST_F(SessionEndTest, ChangeOfTheOtherThumbprintLeavesTheSessionAlone) {
    const auto second = hub_.device_identity("TempSensor");
    const auto third = hub_.device_identity("TempSensor");
    auto device = hub_.register_device("TempSensor", identity_, &second);
    device["authentication"].as_object()["x509Thumbprint"].as_object()["secondaryThumbprint"] =
        thumbprint(third);
    net::run_task(expect_alive_after(hub_, identity_,
                                     {.verb = http::Verb::put,
                                      .target = "/devices/TempSensor",
                                      .body = boost::json::serialize(device),
                                      .if_match = "*"}));
}

net::Task<> expect_second_displaces_first(TestHub& hub, const support::Identity& identity) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    auto first = co_await hub.connect(wish);
    auto second = co_await hub.connect(wish);
    EXPECT_TRUE(first.has_value() && second.has_value());
    if (!first || !second) co_return;
    const auto ended = co_await ended_within(**first, patience);
    EXPECT_TRUE(ended.has_value()) << "the first lived on";
    const auto sent = co_await (*second)->publish(own_topic, nothing, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value());
}

TEST_F(SessionEndTest, SecondConnectionDisplacesTheFirst) {
    hub_.register_device("TempSensor", identity_);
    net::run_task(expect_second_displaces_first(hub_, identity_));
}

net::Task<> expect_refused_newcomer_disturbs_nothing(TestHub& hub, const support::Identity& right,
                                                     const support::Identity& wrong) {
    const MqttWish right_wish{.device = "TempSensor", .identity = &right};
    const MqttWish wrong_wish{.device = "TempSensor", .identity = &wrong};
    auto first = co_await hub.connect(right_wish);
    EXPECT_TRUE(first.has_value());
    if (!first) co_return;
    const auto second = co_await hub.connect(wrong_wish);
    EXPECT_FALSE(second.has_value());
    const auto sent = co_await (*first)->publish(own_topic, nothing, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value());
}

TEST_F(SessionEndTest, NewcomerThatIsRefusedDisturbsNothing) {
    hub_.register_device("TempSensor", identity_);
    const auto wrong = hub_.device_identity("TempSensor");
    net::run_task(expect_refused_newcomer_disturbs_nothing(hub_, identity_, wrong));
}

net::Task<> expect_ended_by_time(TestHub& hub, std::string token) {
    const MqttWish wish{.device = "SasSensor", .token = token};
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    const auto ended = co_await ended_within(**client, patience);
    EXPECT_TRUE(ended.has_value()) << "the session outlived its token";
}

TEST_F(SessionEndTest, ExpiryOfTheTokenEndsTheSession) {
    const auto device = hub_.put_device("SasSensor", R"({"deviceId":"SasSensor"})");
    const std::string key(device.at("authentication").at("symmetricKey").at("primaryKey").as_string());
    net::run_task(
        expect_ended_by_time(hub_, hub_.identity_token("SasSensor", "", key, std::chrono::seconds(2))));
}

net::Task<> expect_ended_with_certificate(TestHub& hub, const support::Identity& identity) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    hub.clock().move(identity.certificate.not_after() - hub.clock().now());
    const auto ended = co_await ended_within(**client, patience);
    EXPECT_TRUE(ended.has_value()) << "the session outlived its certificate";
}

TEST_F(SessionEndTest, ExpiryOfTheCertificateEndsTheSession) {
    // Less than the client may be silent, so that nothing but the certificate can end the session.
    const auto identity = hub_.device_identity("TempSensor", std::chrono::seconds(60));
    hub_.register_device("TempSensor", identity);
    net::run_task(expect_ended_with_certificate(hub_, identity));
}

net::Task<> expect_outlives_a_jump(TestHub& hub, const support::Identity& identity) {
    const MqttWish wish{.device = "TempSensor", .identity = &identity};
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    hub.clock().move(std::chrono::days(10));
    const auto sent = co_await (*client)->publish(own_topic, nothing, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value()) << sent.error().text();
}

TEST_F(SessionEndTest, ClockThatIsSetMakesNobodySilent) {
    hub_.register_device("TempSensor", identity_);
    net::run_task(expect_outlives_a_jump(hub_, identity_));
}

struct Family {
    std::string edge_scope;
    std::string hub_key;  ///< of $edgeHub
};

/// EdgeGateway with a keyed $edgeHub, and TempSensor as its child.
Family make_family(TestHub& hub, const support::Identity& edge, const support::Identity& leaf) {
    const auto device =
        hub.register_device("EdgeGateway", edge, nullptr, R"("capabilities":{"iotEdge":true})");
    Family family;
    family.edge_scope = std::string(device.at("deviceScope").as_string());
    family.hub_key = base::to_base64(base::Bytes(32, std::byte{9}));
    const auto answer = hub.ask(
        {.verb = http::Verb::put,
         .target = "/devices/EdgeGateway/modules/%24edgeHub",
         .body = R"({"deviceId":"EdgeGateway","moduleId":"$edgeHub","authentication":{"symmetricKey":{)"
                 R"("primaryKey":")" +
                 family.hub_key + R"(","secondaryKey":")" + family.hub_key + R"("},"type":"sas"}})",
         .if_match = "*"});
    if (answer.status != 200) throw std::runtime_error(answer.body);
    hub.register_device("TempSensor", leaf, nullptr, R"("deviceScope":")" + family.edge_scope + '"');
    return family;
}

MqttWish on_behalf(const TestHub& hub, const Family& family) {
    return {.device = "TempSensor",
            .token = hub.identity_token("EdgeGateway", "$edgeHub", family.hub_key),
            .auth_chain = "TempSensor;EdgeGateway"};
}

TEST_F(SessionEndTest, ChildThatMovesAwayLosesItsSessionThroughTheGateway) {
    const auto edge = hub_.device_identity("EdgeGateway");
    const auto family = make_family(hub_, edge, identity_);
    auto child = hub_.get("/devices/TempSensor");
    child["deviceScope"] = "";
    child["parentScopes"] = boost::json::array();
    net::run_task(expect_ended_by(hub_, on_behalf(hub_, family),
                                  {.verb = http::Verb::put,
                                   .target = "/devices/TempSensor",
                                   .body = boost::json::serialize(child),
                                   .if_match = "*"}));
}

TEST_F(SessionEndTest, DisablingTheGatewayEndsTheSessionsThroughIt) {
    const auto edge = hub_.device_identity("EdgeGateway");
    const auto family = make_family(hub_, edge, identity_);
    net::run_task(expect_ended_by(hub_, on_behalf(hub_, family),
                                  {.verb = http::Verb::put,
                                   .target = "/devices/EdgeGateway",
                                   .body = with(hub_.get("/devices/EdgeGateway"), "status", "disabled"),
                                   .if_match = "*"}));
}

TEST_F(SessionEndTest, ChainThatIsNoneIsRefused) {
    const auto edge = hub_.device_identity("EdgeGateway");
    const auto family = make_family(hub_, edge, identity_);
    hub_.register_device("Orphan", hub_.device_identity("Orphan"));
    auto wish = on_behalf(hub_, family);
    wish.device = "Orphan";
    wish.auth_chain = "Orphan;EdgeGateway";
    const auto client = hub_.try_connect(wish);
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().code, base::Code::unauthenticated);
}

}  // namespace
}  // namespace hub_test
