// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hub/routes.hpp"
#include "test_hub.hpp"

/// Status codes, rights and error bodies of the HTTPS interface.
namespace hub_test {
namespace {

using http::Verb;

class RoutesTest : public testing::Test {
  protected:
    TestHub hub_;
};

struct Expectation {
    const char* what;
    Ask ask;
    int status;
    std::string error;  ///< iothub-errorcode; empty: none
};

TEST_F(RoutesTest, AnswerWithTheCodesOfTheServiceApi) {
    hub_.put_device("d1", R"({"deviceId":"d1"})");
    hub_.put_device("e1", R"({"deviceId":"e1","capabilities":{"iotEdge":true}})");
    const std::vector<Expectation> cases{
        {"list", {.target = "/devices?api-version=2021-04-12"}, 200, ""},
        {"list as Node asks", {.target = "/devices/?top=10"}, 200, ""},
        {"list too many", {.target = "/devices?top=1001"}, 400, "ArgumentInvalid"},
        {"get", {.target = "/devices/d1"}, 200, ""},
        {"get unknown", {.target = "/devices/none"}, 404, "DeviceNotFound"},
        {"create again",
         {.verb = Verb::put, .target = "/devices/d1", .body = R"({"deviceId":"d1"})"},
         409,
         "DeviceAlreadyExists"},
        {"create with another id",
         {.verb = Verb::put, .target = "/devices/d2", .body = R"({"deviceId":"d3"})"},
         400,
         "ArgumentInvalid"},
        {"create with a bad id",
         {.verb = Verb::put, .target = "/devices/a%2Fb", .body = R"({"deviceId":"a/b"})"},
         400,
         "ArgumentInvalid"},
        {"no JSON", {.verb = Verb::put, .target = "/devices/d2", .body = "{"}, 400, "IotHubFormatError"},
        {"wrong type", {.verb = Verb::put, .target = "/devices/d2", .body = R"({"deviceId":7})"}, 400, "*"},
        {"bad thumbprint",
         {.verb = Verb::put,
          .target = "/devices/d2",
          .body =
              R"({"deviceId":"d2","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"12"}}})"},
         400,
         "ArgumentInvalid"},
        {"edge device by CA",
         {.verb = Verb::put,
          .target = "/devices/d2",
          .body =
              R"({"deviceId":"d2","capabilities":{"iotEdge":true},"authentication":{"type":"certificateAuthority"}})"},
         400,
         "ArgumentInvalid"},
        {"unknown scope",
         {.verb = Verb::put,
          .target = "/devices/d2",
          .body = R"({"deviceId":"d2","deviceScope":"ms-azure-iot-edge://x-1"})"},
         400,
         "InvalidDeviceScope"},
        {"replace with any",
         {.verb = Verb::put, .target = "/devices/d1", .body = R"({"deviceId":"d1"})", .if_match = "*"},
         200,
         ""},
        {"replace as Node asks",
         {.verb = Verb::put, .target = "/devices/d1", .body = R"({"deviceId":"d1"})", .if_match = "\"*\""},
         200,
         ""},
        {"replace another",
         {.verb = Verb::put, .target = "/devices/d1", .body = R"({"deviceId":"d1"})", .if_match = "\"eA==\""},
         412,
         "PreconditionFailed"},
        {"replace none",
         {.verb = Verb::put, .target = "/devices/d9", .body = R"({"deviceId":"d9"})", .if_match = "*"},
         404,
         "DeviceNotFound"},
        {"delete without etag", {.verb = Verb::delete_, .target = "/devices/d1"}, 412, "PreconditionFailed"},
        {"modules", {.target = "/devices/e1/modules"}, 200, ""},
        {"modules of none", {.target = "/devices/none/modules"}, 404, "DeviceNotFound"},
        {"module", {.target = "/devices/e1/modules/%24edgeAgent"}, 200, ""},
        {"module unknown", {.target = "/devices/e1/modules/none"}, 404, "ModuleNotFound"},
        {"create module",
         {.verb = Verb::put,
          .target = "/devices/e1/modules/m1",
          .body = R"({"deviceId":"e1","moduleId":"m1"})"},
         200,
         ""},
        {"create module again",
         {.verb = Verb::put,
          .target = "/devices/e1/modules/m1",
          .body = R"({"deviceId":"e1","moduleId":"m1"})"},
         409,
         "ModuleAlreadyExistsOnDevice"},
        {"delete system module",
         {.verb = Verb::delete_, .target = "/devices/e1/modules/%24edgeHub", .if_match = "*"},
         401,
         "SystemModuleModifyUnauthorizedAccess"},
        {"delete module",
         {.verb = Verb::delete_, .target = "/devices/e1/modules/m1", .if_match = "*"},
         204,
         ""},
        {"delete module again",
         {.verb = Verb::delete_, .target = "/devices/e1/modules/m1", .if_match = "*"},
         404,
         "ModuleNotFound"},
        {"unknown path", {.target = "/nothing/here"}, 404, "*"},
        {"wrong method", {.verb = Verb::patch, .target = "/devices/d1"}, 405, "GenericMethodNotAllowed"},
        {"events from nowhere", {.target = "/messages/events?from=sometime"}, 400, "ArgumentInvalid"},
        {"events with too long a wait", {.target = "/messages/events?wait=3600"}, 400, "ArgumentInvalid"},
        {"delete", {.verb = Verb::delete_, .target = "/devices/d1", .if_match = "\"*\""}, 204, ""},
        {"delete again",
         {.verb = Verb::delete_, .target = "/devices/d1", .if_match = "*"},
         404,
         "DeviceNotFound"},
    };
    for (const auto& [what, ask, status, error] : cases) {
        SCOPED_TRACE(what);
        const auto answer = hub_.ask(ask);
        EXPECT_EQ(answer.status, status) << answer.body;
        const auto code = answer.headers.get("iothub-errorcode");
        EXPECT_EQ(code.has_value(), !error.empty()) << answer.body;
        if (!code) continue;
        if (error != "*") {
            EXPECT_EQ(*code, error) << answer.body;
        }
        const auto body = boost::json::parse(answer.body).as_object();
        EXPECT_THAT(std::string(body.at("Message").as_string()),
                    testing::StartsWith("ErrorCode:" + std::string(*code) + ";"));
        EXPECT_THAT(std::string(body.at("ExceptionMessage").as_string()), testing::HasSubstr("Tracking ID:"));
    }
}

TEST_F(RoutesTest, EtagOfTheAnswerOpensTheNextWriteAndNoOther) {
    hub_.put_device("d1", R"({"deviceId":"d1"})");
    const auto shown = hub_.ask({.target = "/devices/d1"});
    const std::string etag(shown.headers.get("ETag").value_or(""));
    EXPECT_EQ(etag, '"' + std::string(boost::json::parse(shown.body).at("etag").as_string()) + '"');
    const Ask write{.verb = Verb::put,
                    .target = "/devices/d1",
                    .body = R"({"deviceId":"d1","status":"disabled"})",
                    .if_match = etag};
    EXPECT_EQ(hub_.ask(write).status, 200);
    EXPECT_EQ(hub_.ask(write).status, 412);
}

TEST_F(RoutesTest, EdgeDeviceByCaIsRefusedNamingBoth) {
    const auto answer = hub_.ask(
        {.verb = Verb::put,
         .target = "/devices/e1",
         .body =
             R"({"deviceId":"e1","capabilities":{"iotEdge":true},"authentication":{"type":"certificateAuthority"}})"});
    EXPECT_THAT(answer.body, testing::HasSubstr("certificateAuthority"));
    EXPECT_THAT(answer.body, testing::HasSubstr("iotEdge"));
}

std::string filled(std::string_view pattern) {
    std::string path;
    for (const auto word : base::split(pattern.substr(1), '/')) {
        if (word == "{hub}")
            path += "/ContosoIotHub";
        else if (word == "{d}")
            path += "/e1";
        else if (word.starts_with('{'))
            path += "/x";
        else if (word == "$edgeHub")
            path += "/%24edgeHub";
        else
            path += "/" + std::string(word);
    }
    return path;
}

bool is_allowed(hub::Needs needs, const std::string& policy) {
    using hub::Needs;
    const auto any_of = [&](std::initializer_list<std::string_view> names) {
        return std::ranges::find(names, policy) != names.end();
    };
    switch (needs) {
        case Needs::registry_read:
            return any_of({"iothubowner", "registryRead", "registryReadWrite"});
        case Needs::registry_write:
            return any_of({"iothubowner", "registryReadWrite"});
        case Needs::service_connect:
            return any_of({"iothubowner", "service"});
        case Needs::own_modules_read:
            return any_of({"iothubowner", "registryRead", "registryReadWrite", "device"});
        case Needs::own_modules_write:
            return any_of({"iothubowner", "registryReadWrite", "device"});
        case Needs::device:
            return any_of({"iothubowner", "device"});
        case Needs::edge_hub:
            return false;
        case Needs::owner:
            return policy == "iothubowner";
    }
    return false;
}

TEST_F(RoutesTest, EveryRouteAsksForItsRightAndNoPolicyGetsMore) {
    hub_.put_device("e1", R"({"deviceId":"e1","capabilities":{"iotEdge":true}})");
    for (const auto& route : hub::routes()) {
        SCOPED_TRACE(std::string(http::to_string(route.verb)) + " " + std::string(route.path));
        const Ask ask{.verb = route.verb, .target = filled(route.path)};
        EXPECT_EQ(hub_.ask(ask, {}).status, 401);
        EXPECT_EQ(hub_.ask(ask, {nullptr, "SharedAccessSignature sr=x&sig=y"}).status, 401);
        EXPECT_EQ(hub_.ask(ask, {nullptr, "Basic eDp5"}).status, 401);
        for (const auto* policy : {"iothubowner", "service", "device", "registryRead", "registryReadWrite"}) {
            const auto status = hub_.ask(ask, {nullptr, hub_.policy_token(policy)}).status;
            EXPECT_EQ(status != 401, is_allowed(route.needs, policy)) << policy << ": " << status;
        }
    }
}

TEST_F(RoutesTest, ServiceTokenThatHasExpiredOrIsForAnotherHubIsRefused) {
    const auto token = hub_.policy_token("iothubowner");
    hub_.clock().move(std::chrono::hours(1) + std::chrono::minutes(6));
    EXPECT_EQ(hub_.ask({.target = "/devices"}, {nullptr, token}).status, 401);
    hub_.clock().move(-std::chrono::minutes(2));
    EXPECT_EQ(hub_.ask({.target = "/devices"}, {nullptr, token}).status, 200) << "five minutes of skew";
}

TEST_F(RoutesTest, DeviceManagesItsOwnModulesByCertificateAndNoOthers) {
    const auto edge = hub_.device_identity("EdgeGateway");
    const auto other = hub_.device_identity("Other");
    hub_.register_device("EdgeGateway", edge, nullptr, R"("capabilities":{"iotEdge":true})");
    hub_.register_device("Other", other);
    const Caller caller{&edge, {}};
    const std::string version = "?api-version=2017-11-08-preview";
    const Ask create{.verb = Verb::put,
                     .target = "/devices/EdgeGateway/modules/m1" + version,
                     .body = R"({"moduleId":"m1","deviceId":"EdgeGateway"})"};
    const auto created = hub_.ask(create, caller);
    EXPECT_EQ(created.status, 200) << created.body;
    const auto module = boost::json::parse(created.body).as_object();
    EXPECT_EQ(
        hub_.ask(
                {.verb = Verb::put,
                 .target = "/devices/EdgeGateway/modules/m1" + version,
                 .body =
                     R"({"moduleId":"m1","deviceId":"EdgeGateway","authentication":{"type":"sas","symmetricKey":)"
                     R"({"primaryKey":"AAAAAAAAAAAAAAAAAAAAAA==","secondaryKey":"AAAAAAAAAAAAAAAAAAAAAA=="}}})",
                 .if_match = "*"},
                caller)
            .status,
        200);
    const auto listed =
        boost::json::parse(hub_.ask({.target = "/devices/EdgeGateway/modules" + version}, caller).body);
    ASSERT_EQ(listed.as_array().size(), 3U);
    const auto shown = hub_.get("/devices/EdgeGateway/modules/m1");
    EXPECT_EQ(shown.at("generationId"), module.at("generationId")) << "keys are derived from it";
    EXPECT_EQ(shown.at("authentication").at("symmetricKey").at("primaryKey").as_string(),
              "AAAAAAAAAAAAAAAAAAAAAA==");
    EXPECT_EQ(hub_.ask({.verb = Verb::delete_,
                        .target = "/devices/EdgeGateway/modules/m1" + version,
                        .if_match = "*"},
                       caller)
                  .status,
              204);
    EXPECT_EQ(hub_.ask({.target = "/devices/Other/modules" + version}, caller).status, 401);
    EXPECT_EQ(hub_.ask({.target = "/devices/EdgeGateway"}, caller).status, 401) << "no registry right";
}

TEST_F(RoutesTest, ModuleByCertificateIsX509ToIdentitydAndSelfSignedToOthers) {
    const auto edge = hub_.device_identity("EdgeGateway");
    hub_.register_device("EdgeGateway", edge, nullptr, R"("capabilities":{"iotEdge":true})");
    const Caller caller{&edge, {}};
    const std::string path = "/devices/EdgeGateway/modules/m1";
    const auto type_of = [](const boost::json::value& module) {
        return std::string(module.at("authentication").at("type").as_string());
    };
    const std::string digits(64, 'A');
    hub_.ask({.verb = Verb::put,
              .target = path + "?api-version=2017-11-08-preview",
              .body = R"({"moduleId":"m1","deviceId":"EdgeGateway"})"},
             caller);
    const auto set =
        hub_.ask({.verb = Verb::put,
                  .target = path + "?api-version=2017-11-08-preview",
                  .body = R"({"moduleId":"m1","deviceId":"EdgeGateway","authentication":{"type":)"
                          R"("x509","x509Thumbprint":{"primaryThumbprint":")" +
                          digits + R"("}}})",
                  .if_match = "*"},
                 caller);
    ASSERT_EQ(set.status, 200) << set.body;
    EXPECT_EQ(type_of(boost::json::parse(set.body)), "x509");
    for (const auto& [version, word] :
         {std::pair{"2017-11-08-preview", "x509"}, {"2021-04-12", "selfSigned"}}) {
        const auto query = std::string("?api-version=") + version;
        EXPECT_EQ(type_of(boost::json::parse(hub_.ask({.target = path + query}, caller).body)), word);
        const auto all =
            boost::json::parse(hub_.ask({.target = "/devices/EdgeGateway/modules" + query}, caller).body);
        int seen = 0;
        for (const auto& each : all.as_array())
            if (each.at("moduleId").as_string() == "m1") {
                EXPECT_EQ(type_of(each), word);
                ++seen;
            }
        EXPECT_EQ(seen, 1);
    }
}

TEST_F(RoutesTest, DeviceSendsOverHttpsAndItIsStored) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    const Ask send{.verb = Verb::post,
                   .target = "/devices/TempSensor/messages/events?api-version=2021-04-12",
                   .body = R"({"t":21})",
                   .headers = {{"iothub-app-alert", "yes"}, {"iothub-messageid", "id1"}}};
    EXPECT_EQ(hub_.ask(send, {&identity, {}}).status, 204);
    const auto stored = hub_.stored();
    ASSERT_EQ(stored.size(), 1U);
    EXPECT_EQ(stored[0].event.origin.device, "TempSensor");
    EXPECT_EQ(base::as_text(stored[0].event.message.body), R"({"t":21})");
    EXPECT_EQ(stored[0].event.message.application, (azure::Properties{{"alert", "yes"}}));
    EXPECT_EQ(stored[0].event.message.system, (azure::Properties{{"message-id", "id1"}}));
    auto large = send;
    large.body = std::string(256 * 1024 + 1, 'x');
    EXPECT_EQ(hub_.ask(large, {&identity, {}}).status, 413);
}

}  // namespace
}  // namespace hub_test
