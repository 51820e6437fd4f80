// SPDX-License-Identifier: Apache-2.0
#include "azure/method.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "azure/raw_json.hpp"
#include "base/encoding.hpp"

namespace {

using std::chrono::seconds;
using testing::HasSubstr;

TEST(MethodRequest, HasItsDefaults) {
    const auto request = azure::parse_method_request(R"({"methodName":"reboot"})");
    ASSERT_TRUE(request) << request.error().text();
    EXPECT_EQ(request->name, "reboot");
    EXPECT_EQ(request->payload, "");
    EXPECT_EQ(request->response_timeout, seconds(30));
    EXPECT_EQ(request->connect_timeout, seconds(0));
}

TEST(MethodRequest, KeepsThePayloadDigitForDigit) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {R"({"methodName":"m","payload":{"t": 21.50, "n":12345678901234567890123}})",
         R"({"t": 21.50, "n":12345678901234567890123})"},
        {R"({"payload" : [1,"}\",",{}] ,"methodName":"m"})", R"([1,"}\",",{}])"},
        {R"({"methodName":"m","payload":null})", "null"},
        {R"({"methodName":"m","payload":"text"})", R"("text")"},
        {R"({"methodName":"m","payl\u006fad":1})", "1"},
        {R"({"methodName":"m","payload":1,"payload":2})", "2"},
        {R"({"methodName":"m","inner":{"payload":1}})", ""}};
    for (const auto& [body, payload] : cases) {
        const auto request = azure::parse_method_request(body);
        ASSERT_TRUE(request) << body << request.error().text();
        EXPECT_EQ(request->payload, payload) << body;
    }
}

struct Refused {
    std::string_view name;
    std::string body;
    base::Code code;
    std::string_view thing;
};

class MethodRequests : public testing::TestWithParam<Refused> {};

TEST_P(MethodRequests, AreRefused) {
    const auto request = azure::parse_method_request(GetParam().body);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, GetParam().code) << request.error().text();
    EXPECT_THAT(request.error().text(), HasSubstr(std::string(GetParam().thing)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, MethodRequests,
    testing::Values(
        Refused{"NoJson", "{", base::Code::malformed, "JSON"},
        Refused{"NoObject", "[]", base::Code::malformed, "object"},
        Refused{"Deep", R"({"methodName":"m","payload":)" + std::string(100'000, '[') + "}",
                base::Code::malformed, "JSON"},
        Refused{"NoName", "{}", base::Code::invalid_argument, "methodName"},
        Refused{"NameIsANumber", R"({"methodName":1})", base::Code::invalid_argument, "methodName"},
        Refused{"EmptyName", R"({"methodName":""})", base::Code::invalid_argument, "methodName"},
        Refused{"NameWithSlash", R"({"methodName":"a/b"})", base::Code::invalid_argument, "methodName"},
        Refused{"NameWithSpace", R"({"methodName":"a b"})", base::Code::invalid_argument, "methodName"},
        Refused{"NameIsAWildcard", R"({"methodName":"#"})", base::Code::invalid_argument, "methodName"},
        Refused{"NameNotAscii", R"({"methodName":"é"})", base::Code::invalid_argument, "methodName"},
        Refused{"NameWithNul", R"({"methodName":"a\u0000"})", base::Code::invalid_argument, "methodName"},
        Refused{"LongName", R"({"methodName":")" + std::string(1025, 'a') + "\"}",
                base::Code::invalid_argument, "methodName"},
        Refused{"ShortTimeout", R"({"methodName":"m","responseTimeoutInSeconds":4})",
                base::Code::invalid_argument, "responseTimeoutInSeconds"},
        Refused{"LongTimeout", R"({"methodName":"m","responseTimeoutInSeconds":301})",
                base::Code::invalid_argument, "responseTimeoutInSeconds"},
        Refused{"NegativeConnect", R"({"methodName":"m","connectTimeoutInSeconds":-1})",
                base::Code::invalid_argument, "connectTimeoutInSeconds"},
        Refused{"ConnectIsAText", R"({"methodName":"m","connectTimeoutInSeconds":"1"})",
                base::Code::invalid_argument, "connectTimeoutInSeconds"},
        Refused{"LargePayload", R"({"methodName":"m","payload":")" + std::string(128 * 1024 - 1, 'x') + "\"}",
                base::Code::too_large, "payload"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST(MethodRequest, PayloadOfExactly128KibIsAccepted) {
    const auto request = azure::parse_method_request(R"({"methodName":"m","payload":")" +
                                                     std::string(128 * 1024 - 2, 'x') + "\"}");
    ASSERT_TRUE(request) << request.error().text();
    EXPECT_EQ(request->payload.size(), 128U * 1024U);
}

TEST(MethodResult, HoldsWhatTheDeviceAnswered) {
    const auto result = [](std::int64_t status, std::string_view payload) {
        return azure::method_result(status, base::as_bytes(payload));
    };
    EXPECT_EQ(result(200, R"({"t": 21.50})").value(), R"({"status":200,"payload":{"t": 21.50}})");
    EXPECT_EQ(result(-1, " 1 ").value(), R"({"status":-1,"payload":1})");
    EXPECT_EQ(result(404, "").value(), R"({"status":404,"payload":null})");
    EXPECT_EQ(result(200, "{").error().code, base::Code::malformed);
    EXPECT_EQ(result(200, "1,\"status\":2").error().code, base::Code::malformed);
    EXPECT_EQ(result(200, "\"\xff\"").error().code, base::Code::malformed);
    EXPECT_EQ(result(200, std::string(100'000, '[')).error().code, base::Code::malformed);
    EXPECT_EQ(result(200, "\"" + std::string(128 * 1024, 'x') + "\"").error().code, base::Code::too_large);
}

TEST(MethodFailure, IsJsonWithinJson) {
    using std::chrono::milliseconds;
    const std::chrono::sys_time<milliseconds> when{milliseconds(1'535'132'973'201)};
    const auto body = azure::method_failure_body(
        {azure::ErrorCode::device_not_online, "Timed out waiting for device to connect.", seconds(3725)},
        "abc", when);
    const auto outer = boost::json::parse(body).as_object();
    EXPECT_EQ(outer.at("ExceptionMessage").as_string(), "");
    EXPECT_EQ(
        outer.at("Message").as_string(),
        R"({"errorCode":404103,"trackingId":"abc","message":"Timed out waiting for device to connect.",)"
        R"("info":{"timeout":"01:02:05"},"timestampUtc":"2018-08-24T17:49:33.201Z"})");
}

TEST(MethodTopic, NamesMethodAndRequest) {
    EXPECT_EQ(azure::method_topic("reboot", "1f"), "$iothub/methods/POST/reboot/?$rid=1f");
}

}  // namespace
