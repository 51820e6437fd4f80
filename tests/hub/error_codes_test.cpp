// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "azure/errors.hpp"
#include "test_hub.hpp"

/// Every error code that the service API over identities, queries and configurations can answer with.
namespace hub_test {
namespace {

using azure::ErrorCode;
using http::Verb;

struct Case {
    ErrorCode code;
    Ask ask;
    const char* policy = "iothubowner";
};

class ErrorCodesTest : public testing::Test {
  protected:
    void expect(const Case& one) const {
        const auto name = std::string(azure::name(one.code));
        SCOPED_TRACE(name + " of " + one.ask.target);
        const auto answer = hub_.ask(one.ask, {nullptr, hub_.policy_token(one.policy)});
        EXPECT_EQ(answer.status, azure::http_status(one.code)) << answer.body;
        EXPECT_EQ(answer.headers.get("iothub-errorcode"), name);
        EXPECT_TRUE(answer.headers.get("Content-Type").value_or("").starts_with("application/json"));
        const auto body = boost::json::parse(answer.body).as_object();
        const auto message = std::string(body.at("Message").as_string());
        // SDKs take the name between the first colon and the first semicolon.
        EXPECT_TRUE(message.starts_with("ErrorCode:" + name + ";")) << message;
        EXPECT_GT(message.size(), name.size() + 11) << "says nothing";
        const auto tracking = std::string(answer.headers.get("x-ms-request-id").value_or(""));
        EXPECT_FALSE(tracking.empty());
        EXPECT_NE(body.at("ExceptionMessage").as_string().find("Tracking ID:" + tracking), std::string::npos);
    }
    static Ask put(std::string target, std::string body, std::string match = {}) {
        return {.verb = Verb::put,
                .target = std::move(target),
                .body = std::move(body),
                .if_match = std::move(match)};
    }
    static Ask post(std::string target, std::string body) {
        return {.verb = Verb::post, .target = std::move(target), .body = std::move(body)};
    }
    TestHub hub_;
};

TEST_F(ErrorCodesTest, StandInStatusHeaderAndMessage) {
    hub_.put_device("d1", "{}");
    hub_.put_device("e1", R"({"capabilities":{"iotEdge":true}})");
    std::string modules = R"([{"id":"full"})";
    for (int i = 0; i < 50; ++i) modules += R"(,{"id":"full","moduleId":"m)" + std::to_string(i) + "\"}";
    ASSERT_EQ(hub_.ask(post("/devices", modules + "]")).status, 200);
    ASSERT_EQ(hub_.ask(put("/configurations/c1", "{}")).status, 200);
    std::string too_many = "[0";
    for (int i = 0; i < 100; ++i) too_many += ",0";
    const Ask no_route{.target = "/nothing"};
    const Ask wrong_verb{.verb = Verb::patch, .target = "/configurations/c1"};
    const std::vector<Case> cases{
        {ErrorCode::argument_invalid, put("/devices/d2", R"({"status":"on"})")},
        {ErrorCode::argument_invalid, {.target = "/devices?top=0"}},
        {ErrorCode::argument_invalid, post("/devices/query", R"({"query":"SELECT"})")},
        {ErrorCode::iot_hub_format_error, put("/devices/d2", "{")},
        {ErrorCode::iot_hub_format_error, post("/devices", "7")},
        {ErrorCode::iot_hub_format_error, post("/devices/query", "")},
        {ErrorCode::invalid_device_scope, put("/devices/d2", R"({"deviceScope":"x"})")},
        {ErrorCode::invalid_target_condition, put("/configurations/c2", R"({"targetCondition":"a ="})")},
        {ErrorCode::invalid_configuration_content, put("/configurations/c2", R"({"content":{"a":1}})")},
        {ErrorCode::immutable_configuration_content,
         put("/configurations/c1", R"({"content":{"deviceContent":{}}})", "*")},
        {ErrorCode::invalid_metrics_query, put("/configurations/c2", R"({"metrics":{"queries":{"a":1}}})")},
        {ErrorCode::iot_hub_unauthorized, {.target = "/devices/d1"}, "service"},
        {ErrorCode::iot_hub_unauthorized, put("/devices/d2", "{}"), "registryRead"},
        {ErrorCode::iot_hub_unauthorized, post("/devices/query", "{}"), "registryReadWrite"},
        {ErrorCode::system_module_modify,
         {.verb = Verb::delete_, .target = "/devices/e1/modules/%24edgeAgent", .if_match = "*"}},
        {ErrorCode::generic_not_found, no_route},
        {ErrorCode::device_not_found, {.target = "/devices/none"}},
        {ErrorCode::device_not_found, {.target = "/devices/none/modules"}},
        {ErrorCode::device_not_found, put("/devices/none/modules/m", "{}")},
        {ErrorCode::device_not_found, put("/devices/none", "{}", "*")},
        {ErrorCode::module_not_found, {.target = "/devices/d1/modules/none"}},
        {ErrorCode::module_not_found, put("/devices/d1/modules/none", "{}", "*")},
        {ErrorCode::configuration_not_found, {.target = "/configurations/none"}},
        {ErrorCode::configuration_not_found, {.verb = Verb::delete_, .target = "/configurations/none"}},
        {ErrorCode::generic_method_not_allowed, wrong_verb},
        {ErrorCode::device_already_exists, put("/devices/d1", "{}")},
        {ErrorCode::module_already_exists, put("/devices/full/modules/m1", "{}")},
        {ErrorCode::configuration_already_exists, put("/configurations/c1", "{}")},
        {ErrorCode::precondition_failed, put("/devices/d1", "{}", "\"eA==\"")},
        {ErrorCode::precondition_failed, {.verb = Verb::delete_, .target = "/devices/d1"}},
        {ErrorCode::precondition_failed, {.verb = Verb::delete_, .target = "/devices/full/modules/m1"}},
        {ErrorCode::precondition_failed, put("/configurations/c1", "{}", "eA==")},
        {ErrorCode::too_many_devices, post("/devices", too_many + "]")},
        {ErrorCode::too_many_modules, put("/devices/full/modules/one-more", "{}")},
        {ErrorCode::message_too_large, put("/devices/d2", std::string(1024 * 1024 + 1, ' '))},
    };
    for (const auto& one : cases) expect(one);
}

TEST_F(ErrorCodesTest, OfABulkStandInItsResult) {
    hub_.put_device("d1", "{}");
    hub_.put_device("e1", R"({"capabilities":{"iotEdge":true}})");
    const std::vector<std::pair<const char*, ErrorCode>> cases{
        {R"({"id":"d1"})", ErrorCode::device_already_exists},
        {R"({"id":"x","importMode":"update"})", ErrorCode::device_not_found},
        {R"({"id":"d1","moduleId":"x","importMode":"delete"})", ErrorCode::module_not_found},
        {R"({"id":"d1","importMode":"updateIfMatchETag","eTag":"eA=="})", ErrorCode::etag_does_not_match},
        {R"({"id":"t"},{"id":"t"})", ErrorCode::device_defined_multiple_times},
        {R"({"id":"a/b"})", ErrorCode::argument_invalid},
        {R"({"id":"x","deviceScope":"x"})", ErrorCode::invalid_device_scope},
        {R"({"id":"e1","moduleId":"$edgeHub","importMode":"delete"})", ErrorCode::system_module_modify},
    };
    for (const auto& [item, code] : cases) {
        const auto answer = hub_.ask(post("/devices", "[" + std::string(item) + "]"));
        EXPECT_EQ(answer.status, 400) << item;
        const auto body = boost::json::parse(answer.body);
        EXPECT_EQ(body.at("errors").at(0).at("errorCode").as_string(), azure::name(code)) << item;
        EXPECT_FALSE(body.at("errors").at(0).at("errorStatus").as_string().empty());
    }
}

TEST_F(ErrorCodesTest, AreNotAnsweredForAnyKnownSpellingOfAnEtag) {
    for (const auto* form : {"*", "\"*\"", "etag", "\"etag\"", "W/\"etag\""}) {
        const auto device =
            hub_.put_device(std::string("d-") + std::to_string(std::string_view(form).size()), "{}");
        const auto id = std::string(device.at("deviceId").as_string());
        std::string match = form;
        if (const auto at = match.find("etag"); at != std::string::npos)
            match.replace(at, 4, std::string_view(device.at("etag").as_string()));
        const auto answer = hub_.ask(put("/devices/" + id, "{}", match));
        EXPECT_EQ(answer.status, 200) << form;
        // Bare in the body, quoted in the header.
        const auto etag = std::string(boost::json::parse(answer.body).at("etag").as_string());
        EXPECT_EQ(answer.headers.get("ETag"), "\"" + etag + "\"");
        EXPECT_NE(etag, std::string(device.at("etag").as_string()));
    }
}

}  // namespace
}  // namespace hub_test
