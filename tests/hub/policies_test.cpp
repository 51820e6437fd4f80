// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "base/encoding.hpp"
#include "hub/routes.hpp"
#include "test_hub.hpp"
#include "trust/sas_token.hpp"

namespace hub_test {
namespace {

using hub::Needs;

// hub.md 5.1: the policies, each with a letter.
const std::vector<std::pair<char, std::string>> policies{{'o', "iothubowner"},
                                                         {'s', "service"},
                                                         {'d', "device"},
                                                         {'r', "registryRead"},
                                                         {'w', "registryReadWrite"}};

/// The letters of the policies that may.
std::string may(Needs needs) {
    switch (needs) {
        case Needs::registry_read:
            return "orw";
        case Needs::registry_write:
            return "ow";
        case Needs::service_connect:
            return "os";
        case Needs::own_modules_read:
            return "odrw";
        case Needs::own_modules_write:
            return "odw";
        case Needs::device:
            return "od";
        case Needs::edge_hub:
            return "";
        case Needs::owner:
            return "o";
    }
    return "";
}

// What hub.md says of each operation by itself, so that a route with the wrong need is found.
const std::map<std::string, std::string> operations{
    {"GET /devices", "orw"},
    {"GET /devices/", "orw"},
    {"GET /devices/{d}", "orw"},
    {"PUT /devices/{d}", "ow"},
    {"DELETE /devices/{d}", "ow"},
    {"POST /devices", "ow"},
    {"DELETE /devices/{d}/commands", "os"},
    {"POST /devices/query", "os"},
    {"GET /devices/{d}/modules", "odrw"},
    {"GET /devices/{d}/modules/{id}", "odrw"},
    {"PUT /devices/{d}/modules/{id}", "odw"},
    {"DELETE /devices/{d}/modules/{id}", "odw"},
    {"GET /devices/{d}/modules/$edgeHub/devicesAndModulesInDeviceScope", ""},
    {"GET /devices/{d}/modules/$edgeHub/deviceAndModuleInDeviceScope", ""},
    {"POST /devices/{d}/modules/$edgeHub/devicesAndModulesInTargetDeviceScope", ""},
    {"POST /devices/{d}/modules/$edgeHub/getDeviceAndModuleOnBehalfOf", ""},
    {"GET /devices/{d}/modules/$edgeHub/caCertificates", ""},
    {"GET /devices/{d}/modules/$edgeHub/scopeChanges", ""},
    {"GET /twins/{d}", "os"},
    {"PATCH /twins/{d}", "os"},
    {"PUT /twins/{d}", "os"},
    {"GET /twins/{d}/modules/{m}", "os"},
    {"PATCH /twins/{d}/modules/{m}", "os"},
    {"PUT /twins/{d}/modules/{m}", "os"},
    {"POST /twins/{d}/methods", "os"},
    {"POST /twins/{d}/modules/{m}/methods", "os"},
    {"GET /statistics/devices", "orw"},
    {"GET /statistics/service", "orw"},
    {"GET /configurations", "orw"},
    {"GET /configurations/{id}", "orw"},
    {"PUT /configurations/{id}", "ow"},
    {"DELETE /configurations/{id}", "ow"},
    {"POST /devices/{d}/applyConfigurationContent", "ow"},
    {"GET /messages/events", "os"},
    {"GET /messages/events/consumers", "os"},
    {"POST /messages/events/consumers/{name}", "os"},
    {"DELETE /messages/events/consumers/{name}", "os"},
    {"POST /devices/{d}/messages/events", "od"},
    {"POST /devices/{d}/modules/{m}/messages/events", "od"},
    {"GET /devices/{d}/messages/devicebound", "od"},
    {"DELETE /devices/{d}/messages/devicebound/{lock}", "od"},
    {"POST /devices/{d}/messages/devicebound/{lock}/abandon", "od"},
    {"POST /devices/{d}/messages/devicebound", "os"},
    {"GET /messages/serviceBound/feedback", "os"},
    {"DELETE /messages/serviceBound/feedback/{lock}", "os"},
    {"POST /messages/serviceBound/feedback/{lock}/abandon", "os"},
};
constexpr std::string_view arm_start = "/subscriptions/";

std::string concrete(std::string_view pattern) {
    std::string target;
    for (const auto word : base::split(pattern.substr(1), '/')) {
        target += '/';
        if (word == "{hub}")
            target += "ContosoIotHub";
        else
            target += word.starts_with('{') ? std::string("ghost") : base::percent_encode(word);
    }
    return target;
}

TEST(Policies, EachRouteIsOpenToThosePoliciesThatHaveItsRightAndToNoOther) {
    const TestHub hub;
    for (const auto& route : hub::routes()) {
        const auto name = std::string(http::to_string(route.verb)) + " " + std::string(route.path);
        auto letters = may(route.needs);
        if (const auto known = operations.find(name); known != operations.end()) {
            EXPECT_EQ(letters, known->second) << name;
        }
        if (route.path.starts_with(arm_start)) {
            EXPECT_EQ(letters, "o") << name;
        }
        for (const auto& [letter, policy] : policies) {
            const auto answer = hub.ask({.verb = route.verb, .target = concrete(route.path)},
                                        {nullptr, hub.policy_token(policy)});
            const bool open = letters.find(letter) != std::string::npos;
            EXPECT_EQ(answer.status != 401, open) << name << " by " << policy << ": " << answer.body;
            if (!open) {
                EXPECT_EQ(answer.headers.get("iothub-errorcode"), "IotHubUnauthorized") << name;
                EXPECT_NE(answer.body.find("policy " + policy), std::string::npos)
                    << name << ": names the policy that lacks the right: " << answer.body;
            }
        }
        const auto nobody = hub.ask({.verb = route.verb, .target = concrete(route.path)}, Caller{});
        EXPECT_EQ(nobody.status, 401) << name << " without a token";
    }
}

TEST(Policies, OnlyDeviceConnectOpensAnMqttConnectionOfADevice) {
    const TestHub hub;
    hub.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
    for (const auto& [letter, policy] : policies) {
        const auto let_in = hub.try_connect({.device = "TempSensor", .token = hub.policy_token(policy)});
        EXPECT_EQ(let_in.has_value(), letter == 'o' || letter == 'd') << policy;
    }
}

class Rotation : public testing::Test {
  protected:
    std::string token(const std::string& policy, const std::string& key) {
        return *trust::make_sas_token("ContosoIotHub", key, hub_.clock().now() + std::chrono::hours(1),
                                      policy);
    }
    int ask_with(const std::string& key) {
        return hub_.ask({.target = "/devices"}, {nullptr, token("registryRead", key)}).status;
    }
    registry::Policy keys() { return **(*hub_.hub().registry().reader())->policy("registryRead"); }
    TestHub hub_;
};

TEST_F(Rotation, BothKeysOpenTheHub) {
    const auto before = keys();
    EXPECT_EQ(ask_with(before.primary_key), 200);
    EXPECT_EQ(ask_with(before.secondary_key), 200);
    EXPECT_NE(before.primary_key, before.secondary_key);
}

TEST_F(Rotation, OneKeyAfterTheOtherIsRenewedWithoutAGap) {
    auto& registry = hub_.hub().registry();
    const auto before = keys();
    ASSERT_TRUE(registry.renew_policy_key("registryRead", registry::KeyRenewal::secondary).has_value());
    EXPECT_EQ(ask_with(before.primary_key), 200) << "who has the primary key notices nothing";
    EXPECT_EQ(ask_with(before.secondary_key), 401);
    ASSERT_TRUE(registry.renew_policy_key("registryRead", registry::KeyRenewal::swap).has_value());
    EXPECT_EQ(ask_with(before.primary_key), 200) << "the old primary key is the secondary one now";
    EXPECT_EQ(ask_with(keys().primary_key), 200);
    ASSERT_TRUE(registry.renew_policy_key("registryRead", registry::KeyRenewal::secondary).has_value());
    EXPECT_EQ(ask_with(before.primary_key), 401);
    EXPECT_EQ(ask_with(keys().primary_key), 200);
}

TEST_F(Rotation, ARunningHubTakesAKeyThatAnotherProcessRenewed) {
    const auto before = keys();
    EXPECT_EQ(ask_with(before.primary_key), 200);
    {
        const auto beside =
            registry::Registry::open(hub_.hub().config().registry_file(), base::system_clock());
        ASSERT_TRUE(beside.has_value());
        ASSERT_TRUE((*beside)->renew_policy_key("registryRead", registry::KeyRenewal::primary).has_value());
    }
    EXPECT_EQ(ask_with(before.primary_key), 401);
    EXPECT_EQ(ask_with(keys().primary_key), 200);
}

}  // namespace
}  // namespace hub_test
