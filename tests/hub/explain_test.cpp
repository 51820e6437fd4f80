// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "hub/explanations.hpp"
#include "hub/tracking.hpp"
#include "support/temporary_directory.hpp"
#include "test_hub.hpp"
#include "trust/sas_token.hpp"

namespace hub_test {
namespace {

using hub::Explanation;
using hub::Explanations;
using testing::HasSubstr;
using testing::Not;

const std::string digits = "0123456789abcdef0123456789abcdef";

TEST(TrackingKey, IsFoundInWhatPeoplePaste) {
    for (const auto& pasted :
         {digits, digits + "-G:9", "Tracking ID:" + digits + "-G:9-TimeStamp:10/15/2018 03:54:24",
          std::string("\"ExceptionMessage\":\"Tracking ID:0123456789ABCDEF0123456789abcdef-G:9\"")}) {
        EXPECT_EQ(hub::tracking_key(pasted), digits) << pasted;
    }
    for (const auto& pasted : {std::string(), std::string("abc"), digits.substr(1), digits + "0",
                               digits + " " + digits, std::string("Tracking ID:")}) {
        EXPECT_FALSE(hub::tracking_key(pasted)) << pasted;
    }
}

Explanation one(std::size_t number, base::Instant when, const std::string& device = "TempSensor") {
    char key[33];
    std::snprintf(key, sizeof key, "%032zx", number);
    Explanation explanation;
    explanation.tracking = std::string(key) + "-G:0";
    explanation.when = when;
    explanation.protocol = "mqtt";
    explanation.identity.device = device;
    explanation.answer = "CONNACK 5";
    explanation.verdict.fail("leaf.validity", 0, "now", "then");
    return explanation;
}

std::vector<std::string> find(Explanations& explanations, const std::string& tracking) {
    std::promise<Explanations::Documents> found;
    explanations.find(hub::tracking_key(tracking).value(),
                      [&](Explanations::Documents documents) { found.set_value(std::move(documents)); });
    return found.get_future().get().value();
}

struct ExplanationsTest : testing::Test {
    support::TemporaryDirectory directory;
    MovableClock clock;
    std::filesystem::path file = directory / "explanations.db";
    std::unique_ptr<Explanations> open(hub::ExplainLimits keep = {}) {
        return Explanations::open(file, keep, clock).value();
    }
};

TEST_F(ExplanationsTest, AreThereAfterARestartAndForCommandsBeside) {
    const auto explanation = one(7, clock.now());
    {
        const auto explanations = open();
        explanations->add(explanation);
        ASSERT_EQ(find(*explanations, explanation.tracking).size(), 1U);
        const auto beside = Explanations::find_in(file, hub::tracking_key(explanation.tracking).value());
        ASSERT_TRUE(beside) << beside.error().text();
        EXPECT_EQ(beside->size(), 1U) << "while the hub runs";
    }
    const auto explanations = open();
    const auto found = find(*explanations, explanation.tracking);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], hub::to_json(explanation));
    EXPECT_TRUE(find(*explanations, one(8, clock.now()).tracking).empty());
}

TEST_F(ExplanationsTest, AreBoundedByNumber) {
    const auto explanations = open({.count = 100, .age = std::chrono::days(1)});
    for (std::size_t i = 0; i < 600; ++i) {
        explanations->add(one(i, clock.now()));
        if (i % 100 == 99) find(*explanations, one(i, clock.now()).tracking);  // so that none is dropped
    }
    EXPECT_TRUE(find(*explanations, one(0, clock.now()).tracking).empty());
    EXPECT_EQ(find(*explanations, one(599, clock.now()).tracking).size(), 1U);
    EXPECT_EQ(explanations->dropped(), 0U);
}

TEST_F(ExplanationsTest, AreForgottenByAge) {
    const auto old = one(1, clock.now());
    open()->add(old);
    clock.move(std::chrono::days(31));
    EXPECT_TRUE(find(*open(), old.tracking).empty());
}

TEST_F(ExplanationsTest, AreDroppedAndCountedWhenMoreComeThanTheDiskTakes) {
    const auto explanations = open();
    // The writer is held up by its own answer.
    std::promise<void> held, released;
    auto release = released.get_future().share();
    explanations->find(digits, [&](const Explanations::Documents&) {
        held.set_value();
        release.wait();
    });
    held.get_future().wait();
    for (std::size_t i = 0; i < 3000; ++i) explanations->add(one(i, clock.now()));
    EXPECT_EQ(explanations->dropped(), 3000U - 1024U);
    released.set_value();
    EXPECT_EQ(find(*explanations, one(0, clock.now()).tracking).size(), 1U);
    EXPECT_TRUE(find(*explanations, one(2999, clock.now()).tracking).empty());
}

TEST(ExplanationJson, CutsLongTextsAndIsUtf8WhateverAPeerSent) {
    auto explanation = one(1, base::Instant{});
    explanation.reason = std::string(5000, 'x');
    explanation.identity.device = "a\xff\xfe";
    for (int i = 0; i < 1000; ++i) explanation.verdict.pass("leaf.validity", 0, std::string(5000, 'y'), "z");
    const auto text = hub::to_json(explanation);
    EXPECT_TRUE(base::is_utf8(text));
    EXPECT_LT(text.size(), 64U * 1024U);
    EXPECT_EQ(boost::json::parse(text).at("deviceId").as_string(), "a??");
}

class ExplainTest : public testing::Test {
  protected:
    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");

    static std::string tracking_of(const http::Response& answer) {
        return std::string(answer.headers.get("x-ms-request-id").value_or(""));
    }
    boost::json::object explain(const std::string& tracking) {
        return hub_.get("/explain/" + base::percent_encode(tracking));
    }
    /// The last one about a device.
    boost::json::object newest(const std::string& device) {
        const auto answer = hub_.ask({.target = "/explain?top=1&deviceId=" + device});
        EXPECT_EQ(answer.status, 200) << answer.body;
        const auto list = boost::json::parse(answer.body).as_array();
        EXPECT_EQ(list.size(), 1U);
        return list.empty() ? boost::json::object{} : list.front().as_object();
    }
    static const boost::json::object* failed_step(const boost::json::object& explanation) {
        for (const auto& step : explanation.at("steps").as_array())
            if (step.at("outcome").as_string() == "failed") return &step.as_object();
        return nullptr;
    }
};

TEST_F(ExplainTest, TrackingIdStandsInHeaderBodyAndLogInTheFormOfTheRealHub) {
    CapturedLog log;
    const auto answer = hub_.ask({.target = "/devices/Nobody"});
    EXPECT_EQ(answer.status, 404);
    const auto tracking = tracking_of(answer);
    EXPECT_THAT(tracking, testing::MatchesRegex("[0-9a-f]+-G:[0-9]+"));
    EXPECT_THAT(answer.body, HasSubstr("\"ExceptionMessage\":\"Tracking ID:" + tracking + "-TimeStamp:"));
    EXPECT_THAT(log.text(), HasSubstr("tracking=" + tracking));
}

TEST_F(ExplainTest, RefusedTokenIsExplainedStepByStep) {
    const auto wrong = trust::make_sas_token("ContosoIotHub", base::to_base64(base::Bytes(32, std::byte{1})),
                                             hub_.clock().now() + std::chrono::hours(1), "service");
    const auto answer = hub_.ask({.target = "/devices?secret=1"}, {nullptr, wrong.value()});
    ASSERT_EQ(answer.status, 401);
    const auto explanation = explain(tracking_of(answer));
    EXPECT_EQ(explanation.at("trackingId").as_string(), tracking_of(answer));
    EXPECT_EQ(explanation.at("request").as_string(), "GET /devices");
    EXPECT_EQ(explanation.at("answer").as_string(), "401 IotHubUnauthorized");
    EXPECT_EQ(explanation.at("protocol").as_string(), "https");
    EXPECT_THAT(std::string(explanation.at("address").as_string()), HasSubstr("127.0.0.1:"));
    const auto* step = failed_step(explanation);
    ASSERT_NE(step, nullptr);
    EXPECT_EQ(step->at("check").as_string(), "token.signature");
    EXPECT_EQ(step->at("found").as_string(), "another key");
    const auto text = boost::json::serialize(explanation);
    EXPECT_THAT(text, Not(HasSubstr("sig=")));
    EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST_F(ExplainTest, MissingRightIsExplained) {
    const auto answer = hub_.ask({.target = "/devices"}, {nullptr, hub_.policy_token("service")});
    ASSERT_EQ(answer.status, 401);
    const auto explanation = explain("Tracking ID:" + tracking_of(answer) + "-TimeStamp:10/15/2018 03:54:24");
    const auto* step = failed_step(explanation);
    ASSERT_NE(step, nullptr);
    EXPECT_EQ(step->at("check").as_string(), "policy.right");
    EXPECT_EQ(step->at("expected").as_string(), "RegistryRead");
    EXPECT_EQ(step->at("found").as_string(), "policy service");
    EXPECT_NE(explanation.at("fix").as_string(), "");
}

TEST_F(ExplainTest, WhatWasRefusedForAnotherReasonIsExplainedByItsText) {
    const auto answer = hub_.ask({.target = "/devices/Nobody"});
    const auto explanation = explain(tracking_of(answer));
    EXPECT_EQ(explanation.at("answer").as_string(), "404 DeviceNotFound");
    EXPECT_EQ(explanation.at("reason").as_string(), "Nobody");
    EXPECT_EQ(explanation.at("caller").as_string(), "policy iothubowner");
    EXPECT_TRUE(explanation.at("steps").as_array().empty());
}

TEST_F(ExplainTest, RefusedConnectIsLoggedAndExplained) {
    hub_.register_device("TempSensor", identity_);
    const auto stranger = hub_.device_identity("TempSensor");
    CapturedLog log;
    EXPECT_FALSE(hub_.try_connect({.device = "TempSensor", .identity = &stranger}));
    const auto explanation = newest("TempSensor");
    EXPECT_EQ(explanation.at("request").as_string(), "CONNECT");
    EXPECT_EQ(explanation.at("answer").as_string(), "CONNACK 5");
    EXPECT_EQ(explanation.at("protocol").as_string(), "mqtt");
    const auto* step = failed_step(explanation);
    ASSERT_NE(step, nullptr);
    EXPECT_EQ(step->at("check").as_string(), "leaf.thumbprint");
    EXPECT_THAT(std::string(step->at("expected").as_string()), HasSubstr(thumbprint(identity_)));
    EXPECT_NE(explanation.at("fix").as_string(), "");
    const std::string tracking(explanation.at("trackingId").as_string());
    EXPECT_EQ(explain(tracking), explanation);
    EXPECT_THAT(log.text(), testing::ContainsRegex("session.refused[^\n]*tracking=" + tracking));
}

TEST_F(ExplainTest, ConnectThatCannotBeJudgedIsExplainedToo) {
    EXPECT_FALSE(hub_.try_connect({.device = "TempSensor", .user_name = "ContosoIotHub"}));
    EXPECT_EQ(newest("TempSensor").at("answer").as_string(), "CONNACK 4");
    EXPECT_FALSE(hub_.try_connect(
        {.device = "TempSensor", .will = mqtt::Will{"elsewhere", {}, mqtt::Qos::at_most_once, false}}));
    EXPECT_EQ(newest("TempSensor").at("answer").as_string(), "closed");
}

net::Task<> report_nonsense(const TestHub& hub, MqttWish wish) {
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value());
    if (!client) co_return;
    const auto text = base::as_bytes("no JSON");
    const base::Bytes nonsense(text.begin(), text.end());
    const auto sent = co_await (*client)->publish("$iothub/twin/PATCH/properties/reported/?$rid=1", nonsense,
                                                  mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value());
    co_await (*client)->disconnect();
}

TEST_F(ExplainTest, RefusedTwinUpdateOfADeviceIsExplained) {
    hub_.register_device("TempSensor", identity_);
    net::run_task(report_nonsense(hub_, {.device = "TempSensor", .identity = &identity_}));
    const auto explanation = newest("TempSensor");
    EXPECT_EQ(explanation.at("request").as_string(), "twin");
    EXPECT_EQ(explanation.at("caller").as_string(), "TempSensor");
    EXPECT_THAT(std::string(explanation.at("answer").as_string()), testing::StartsWith("400 "));
}

TEST_F(ExplainTest, NeedsRegistryRead) {
    const auto tracking = tracking_of(hub_.ask({.target = "/devices/Nobody"}));
    const Ask question{.target = "/explain/" + tracking};
    EXPECT_EQ(hub_.ask(question, {nullptr, hub_.policy_token("registryRead")}).status, 200);
    EXPECT_EQ(hub_.ask(question, {nullptr, hub_.policy_token("service")}).status, 401);
    EXPECT_EQ(hub_.ask(question, {nullptr, hub_.policy_token("device")}).status, 401);
    EXPECT_EQ(hub_.ask(question, {}).status, 401);
}

TEST_F(ExplainTest, UnknownAndBadIdsAreTold) {
    EXPECT_EQ(hub_.ask({.target = "/explain/" + digits}).status, 404);
    EXPECT_EQ(hub_.ask({.target = "/explain/abc"}).status, 400);
    EXPECT_EQ(hub_.ask({.target = "/explain"}).status, 400);
    EXPECT_EQ(hub_.ask({.target = "/explain?deviceId=x&top=0"}).status, 400);
}

}  // namespace
}  // namespace hub_test
