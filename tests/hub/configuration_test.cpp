// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test_hub.hpp"

namespace hub_test {
namespace {

namespace json = boost::json;
using http::Verb;

class ConfigurationTest : public testing::Test {
  protected:
    http::Response put(const std::string& id, const std::string& body, const std::string& match = {}) const {
        return hub_.ask({.verb = Verb::put,
                         .target = "/configurations/" + id + "?api-version=2021-04-12",
                         .body = body,
                         .if_match = match});
    }
    std::string code(const http::Response& answer) const {
        return std::to_string(answer.status) + " " +
               std::string(answer.headers.get("iothub-errorcode").value_or("none"));
    }
    const std::string body_ =
        R"({"id":"dep1","schemaVersion":"1.0","content":{"modulesContent":{}},"targetCondition":"tags.a=1","priority":1})";
    TestHub hub_;
};

TEST_F(ConfigurationTest, IsMadeReadChangedAndRemoved) {
    const auto made = put("dep1", body_);
    ASSERT_EQ(made.status, 200) << made.body;
    auto document = json::parse(made.body).as_object();
    EXPECT_EQ(document.at("id"), "dep1");
    EXPECT_EQ(made.headers.get("ETag"), "\"" + std::string(document.at("etag").as_string()) + "\"");
    EXPECT_EQ(hub_.get("/configurations/dep1"), document);
    const auto listed = json::parse(hub_.ask({.target = "/configurations?top=5"}).body).as_array();
    EXPECT_EQ(listed, json::array{document});

    document["priority"] = 7;
    const auto etag = std::string(*made.headers.get("ETag"));
    const auto changed = put("dep1", json::serialize(document), etag);
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(json::parse(changed.body).at("priority"), 7);
    EXPECT_EQ(code(put("dep1", json::serialize(document), etag)), "412 PreconditionFailed");
    EXPECT_EQ(put("dep1", json::serialize(document), "\"*\"").status, 200);
    // Node sends no If-Match here.
    EXPECT_EQ(hub_.ask({.verb = Verb::delete_, .target = "/configurations/dep1"}).status, 204);
    EXPECT_EQ(code(hub_.ask({.target = "/configurations/dep1"})), "404 ConfigurationNotFound");
}

TEST_F(ConfigurationTest, AnswersWithTheCodesOfTheService) {
    ASSERT_EQ(put("dep1", body_).status, 200);
    EXPECT_EQ(code(put("dep1", body_)), "409 ConfigurationAlreadyExists");
    EXPECT_EQ(code(put("dep2", "{}", "*")), "404 ConfigurationNotFound");
    EXPECT_EQ(code(put("dep2", body_)), "400 ArgumentInvalid") << "another id";
    EXPECT_EQ(code(put("Dep2", "{}")), "400 ArgumentInvalid") << "upper case";
    EXPECT_EQ(code(put("dep2", "{")), "400 IotHubFormatError");
    EXPECT_EQ(code(put("dep2", R"({"targetCondition":"a ="})")), "400 InvalidConfigurationTargetCondition");
    EXPECT_EQ(code(put("dep2", R"({"content":{"x":{}}})")), "400 InvalidConfigurationContent");
    EXPECT_EQ(code(put("dep2", R"({"metrics":{"queries":{"m":"x"}}})")),
              "400 InvalidConfigurationCustomMetricsQuery");
    EXPECT_EQ(code(put("dep1", R"({"content":{"deviceContent":{"properties.desired.a":1}}})", "*")),
              "400 CannotModifyImmutableConfigurationContent");
    EXPECT_EQ(code(hub_.ask({.verb = Verb::delete_, .target = "/configurations/none"})),
              "404 ConfigurationNotFound");
    EXPECT_EQ(code(hub_.ask({.verb = Verb::delete_, .target = "/configurations/dep1", .if_match = "\"x\""})),
              "412 PreconditionFailed");
    EXPECT_EQ(code(hub_.ask({.target = "/configurations?top=0"})), "400 ArgumentInvalid");
    const Caller reader{nullptr, hub_.policy_token("registryRead")};
    EXPECT_EQ(hub_.ask({.target = "/configurations/dep1"}, reader).status, 200);
    EXPECT_EQ(hub_.ask({.verb = Verb::put, .target = "/configurations/dep3", .body = "{}"}, reader).status,
              401);
    EXPECT_EQ(hub_.ask({.target = "/configurations"}, {nullptr, hub_.policy_token("service")}).status, 401);
}

TEST_F(ConfigurationTest, AreAtMostOneHundred) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(put("dep" + std::to_string(i), "{}").status, 200);
    EXPECT_EQ(code(put("more", "{}")), "403 IotHubQuotaExceeded");
    EXPECT_EQ(put("dep1", "{}", "*").status, 200);
}

TEST_F(ConfigurationTest, ContentIsAppliedToADeviceWhole) {
    hub_.put_device("EdgeGateway", R"({"capabilities":{"iotEdge":true}})");
    const auto apply = [&](const std::string& device, const std::string& content) {
        return hub_.ask({.verb = Verb::post,
                         .target = "/devices/" + device + "/applyConfigurationContent?api-version=2021-04-12",
                         .body = content});
    };
    const auto desired = [&](const std::string& module) {
        const json::object query{{"query",
                                  "SELECT properties.desired FROM devices.modules WHERE deviceId = "
                                  "'EdgeGateway' AND moduleId = '" +
                                      module + "'"}};
        const auto answer =
            hub_.ask({.verb = Verb::post, .target = "/devices/query", .body = json::serialize(query)});
        return json::parse(answer.body).at(0).at("desired").as_object();
    };
    const auto applied = apply(
        "EdgeGateway", R"({"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"mod1":{}}}},
            "$edgeHub":{"properties.desired":{"routes":{"r":"x"}}},"mod1":{"properties.desired":{"a":1,"b":{"c":2}}}}})");
    EXPECT_EQ(applied.status, 204) << applied.body;
    EXPECT_EQ(desired("$edgeHub").at("routes").at("r"), "x");
    EXPECT_EQ(desired("mod1").at("a"), 1) << "made on the way";
    EXPECT_EQ(apply("EdgeGateway", R"({"modulesContent":{"mod1":{"properties.desired.b.c":3}}})").status,
              204);
    EXPECT_EQ(desired("mod1").at("b").at("c"), 3);
    EXPECT_EQ(desired("mod1").at("a"), 1);
    EXPECT_EQ(apply("EdgeGateway", R"({"modulesContent":{"mod1":{"properties.desired":{"d":4}}}})").status,
              204);
    EXPECT_FALSE(desired("mod1").contains("a"));

    EXPECT_EQ(code(apply("EdgeGateway", R"({"modulesContent":{"mod2":{"tags":{}}}})")),
              "400 InvalidConfigurationContent");
    EXPECT_EQ(code(apply("none", R"({"modulesContent":{"mod2":{}}})")), "404 DeviceNotFound");
    EXPECT_EQ(code(apply("EdgeGateway", "{")), "400 IotHubFormatError");
    EXPECT_EQ(
        code(apply(
            "EdgeGateway",
            R"({"modulesContent":{"mod1":{"properties.desired":{"e":5}},"mod2":{"properties.desired":{"a.b":1}}}})")),
        "400 ArgumentInvalid");
    EXPECT_FALSE(desired("mod1").contains("e")) << "all or nothing";
    EXPECT_EQ(code(hub_.ask({.target = "/devices/EdgeGateway/modules/mod2"})), "404 ModuleNotFound");
}

TEST_F(ConfigurationTest, QueriesAreTested) {
    const auto answer = hub_.ask(
        {.verb = Verb::post,
         .target = "/configurations/testQueries?api-version=2021-04-12",
         .body = R"({"targetCondition":"a =","customMetricQueries":{"m":"SELECT * FROM devices"}})"});
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto body = json::parse(answer.body);
    EXPECT_TRUE(body.at("targetConditionError").is_string());
    EXPECT_TRUE(body.at("customMetricQueryErrors").as_object().empty());
}

}  // namespace
}  // namespace hub_test
