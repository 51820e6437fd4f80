// SPDX-License-Identifier: Apache-2.0
#include "azure/configuration.hpp"

#include <gtest/gtest.h>

namespace azure {
namespace {

namespace json = boost::json;

std::string refusal(const std::string& document) {
    const auto parsed = parse_configuration(document);
    return parsed ? "none" : std::string(name(parsed.error().code));
}

TEST(Configuration, IsReadAndShownInTheFormOfTheService) {
    const auto parsed = parse_configuration(
        R"({"id":"dep1","schemaVersion":"1.0","labels":{"a":"b"},"priority":10,"targetCondition":"tags.env='prod'",
            "content":{"modulesContent":{"$edgeAgent":{"properties.desired":{"x":1}}}},"etag":"MQ==",
            "metrics":{"queries":{"m":"SELECT deviceId FROM devices"}},"createdTimeUtc":"2020-01-01T00:00:00Z"})");
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->created, base::Instant{}) << "read-only";
    auto stored = *parsed;
    stored.etag = "Mg==";
    stored.created = stored.updated = *base::parse_rfc3339("2026-11-24T09:00:00Z");
    EXPECT_EQ(
        to_json(stored),
        R"({"id":"dep1","schemaVersion":"1.0","labels":{"a":"b"},"content":{"modulesContent":{"$edgeAgent":)"
        R"({"properties.desired":{"x":1}}}},"targetCondition":"tags.env='prod'",)"
        R"("createdTimeUtc":"2026-11-24T09:00:00Z","lastUpdatedTimeUtc":"2026-11-24T09:00:00Z","priority":10,)"
        R"("systemMetrics":{"results":{},"queries":{}},"metrics":{"results":{},"queries":)"
        R"({"m":"SELECT deviceId FROM devices"}},"etag":"Mg=="})");
}

TEST(Configuration, IsRefusedWithTheCodeOfWhatIsWrong) {
    const std::vector<std::pair<const char*, const char*>> cases{
        {"{}", "none"},
        {"[]", "IotHubFormatError"},
        {"{", "IotHubFormatError"},
        {R"({"labels":{"a":1}})", "ArgumentInvalid"},
        {R"({"priority":"high"})", "ArgumentInvalid"},
        {R"({"schemaVersion":"9"})", "ArgumentInvalid"},
        {R"({"targetCondition":"tags.a ="})", "InvalidConfigurationTargetCondition"},
        {R"({"targetCondition":"*"})", "none"},
        {R"({"targetCondition":""})", "none"},
        {R"({"targetCondition":"from devices.modules where moduleId='m' and tags.a=1"})", "none"},
        {R"({"targetCondition":"from twins"})", "InvalidConfigurationTargetCondition"},
        {R"({"content":{"other":{}}})", "InvalidConfigurationContent"},
        {R"({"content":{"modulesContent":{"m":1}}})", "InvalidConfigurationContent"},
        {R"({"content":{"deviceContent":[]}})", "InvalidConfigurationContent"},
        {R"({"metrics":{"queries":{"m":"SELECT"}}})", "InvalidConfigurationCustomMetricsQuery"},
        {R"({"metrics":{"queries":{"m":1}}})", "InvalidConfigurationCustomMetricsQuery"},
    };
    for (const auto& [document, code] : cases) EXPECT_EQ(refusal(document), code) << document;
}

TEST(Configuration, HasAnIdInLowerCase) {
    EXPECT_TRUE(check_configuration_id("dep-1_a"));
    EXPECT_TRUE(check_configuration_id(std::string(128, 'a')));
    for (const auto& id : {std::string(), std::string("Dep"), std::string("a b"), std::string(129, 'a')})
        EXPECT_FALSE(check_configuration_id(id)) << id;
}

TEST(Configuration, QueriesAreTestedOneByOne) {
    const auto answer = test_queries(
        R"({"targetCondition":"tags.a = ","customMetricQueries":{"good":"SELECT * FROM devices","bad":"SELECT"}})");
    ASSERT_TRUE(answer);
    const auto body = json::parse(*answer);
    EXPECT_TRUE(body.at("targetConditionError").is_string());
    EXPECT_EQ(body.at("customMetricQueryErrors").as_object().size(), 1U);
    EXPECT_TRUE(body.at("customMetricQueryErrors").at("bad").is_string());
    EXPECT_EQ(*test_queries(R"({"targetCondition":"tags.a = 1"})"),
              R"({"targetConditionError":null,"customMetricQueryErrors":{}})");
    EXPECT_FALSE(test_queries("[]"));
    EXPECT_FALSE(test_queries(R"({"customMetricQueries":{"a":1}})"));
}

std::string applied(const char* content, const char* before) {
    const auto parsed = parse_content(content);
    if (!parsed) return std::string(name(parsed.error().code));
    const auto write = apply_content(parsed->front(), json::parse(before).get_object());
    if (!write) return write.error().text();
    return (write->how == TwinWrite::replace ? "all " : "patch ") + json::serialize(*write->wish.desired);
}

TEST(ConfigurationContent, ReplacesTheSectionOrSetsBelowIt) {
    EXPECT_EQ(applied(R"({"modulesContent":{"m":{"properties.desired":{"a":1}}}})", R"({"b":2})"),
              R"(all {"a":1})");
    EXPECT_EQ(applied(R"({"modulesContent":{"m":{"properties.desired.a.b":1}}})", R"({"a":{"c":2},"d":3})"),
              R"(patch {"a":{"b":1}})");
    EXPECT_EQ(applied(R"({"deviceContent":{"properties.desired.a":null}})", R"({"a":1,"b":2})"),
              R"(patch {"a":null})");
    EXPECT_EQ(applied(R"({"deviceContent":{"properties.desired.a":{"x":1}}})", R"({"a":{"x":1,"y":2}})"),
              R"(patch {"a":{"y":null}})")
        << "what stands at the path is replaced";
    EXPECT_NE(
        applied(R"({"deviceContent":{"properties.desired":{"a b":1}}})", "{}").find("properties.desired"),
        std::string::npos)
        << "a key that no twin can hold";
    EXPECT_EQ(applied(R"({"modulesContent":{"m":{"properties.desired.r.x":1,"properties.desired":{"a":1}}}})",
                      "{}"),
              R"(all {"a":1,"r":{"x":1}})");
    const auto two = parse_content(
        R"({"modulesContent":{"$edgeAgent":{"properties.desired":{}},"m":{"properties.desired":{}}}})");
    ASSERT_TRUE(two);
    EXPECT_EQ(two->at(0).module, "$edgeAgent");
    EXPECT_EQ(two->at(1).module, "m");
}

TEST(ConfigurationContent, IsRefusedWhereItSaysSomethingElse) {
    for (const auto* content :
         {"{}", R"({"other":{}})", R"({"modulesContent":[]})", R"({"modulesContent":{"m":{"tags":{}}}})",
          R"({"modulesContent":{"m":{"properties.desired":1}}})", R"({"modulesContent":{"a/b":{}}})",
          R"({"modulesContent":{"m":{"properties.desired.":1}}})", "[]"})
        EXPECT_EQ(applied(content, "{}"), "InvalidConfigurationContent") << content;
    EXPECT_EQ(applied("{", "{}"), "IotHubFormatError");
    std::string deep = "properties.desired";
    for (int i = 0; i < 100'000; ++i) deep += ".a";
    EXPECT_EQ(applied((R"({"deviceContent":{")" + deep + R"(":1}})").c_str(), "{}"),
              "InvalidConfigurationContent");
}

}  // namespace
}  // namespace azure
