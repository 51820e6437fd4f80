// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test_hub.hpp"

namespace hub_test {
namespace {

using http::Verb;

class BulkTest : public testing::Test {
  protected:
    http::Response post(const std::string& body, const char* policy = "iothubowner") const {
        return hub_.ask({.verb = Verb::post, .target = "/devices?api-version=2021-04-12", .body = body},
                        {nullptr, hub_.policy_token(policy)});
    }
    std::string first_error(const http::Response& answer) const {
        const auto body = boost::json::parse(answer.body);
        return std::string(body.at("errors").at(0).at("errorCode").as_string());
    }
    TestHub hub_;
};

TEST_F(BulkTest, Answers200WhenAllIsDoneAnd400WithTheSameBodyOtherwise) {
    const auto done = post(R"([{"id":"b1","importMode":"create"},{"id":"b2","importMode":"create"}])");
    EXPECT_EQ(done.status, 200);
    EXPECT_EQ(done.body, R"({"isSuccessful":true,"errors":[],"warnings":[]})");
    EXPECT_EQ(hub_.get("/devices/b2").at("status"), "enabled");
    const auto refused = post(R"([{"id":"b1","importMode":"create"},{"id":"b3","importMode":"create"}])");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(first_error(refused), "DeviceAlreadyExists");
    EXPECT_EQ(refused.headers.get("iothub-errorcode"), "BulkRegistryOperationFailure");
    EXPECT_EQ(hub_.get("/devices/b3").at("status"), "enabled") << "the others are done";
    EXPECT_EQ(post(R"([{"id":"b1","importMode":"Delete"},{"id":"b3","importMode":"Delete"}])").status, 200);
    EXPECT_EQ(hub_.ask({.target = "/devices/b1"}).status, 404);
}

TEST_F(BulkTest, RefusesWhatIsNoList) {
    EXPECT_EQ(post("[").headers.get("iothub-errorcode"), "IotHubFormatError");
    EXPECT_EQ(post("{}").status, 400);
    EXPECT_EQ(post("[]").headers.get("iothub-errorcode"), "ArgumentInvalid");
    std::string many = "[";
    for (int i = 0; i < 101; ++i) many += (i == 0 ? "" : ",") + (R"({"id":"d)" + std::to_string(i) + "\"}");
    const auto answer = post(many + "]");
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.headers.get("iothub-errorcode"), "TooManyDevices");
    EXPECT_EQ(post(R"([{"id":"a"}])", "service").status, 401);
    EXPECT_EQ(post(R"([{"id":"a"}])", "registryRead").status, 401);
    EXPECT_EQ(post(R"([{"id":"a"}])", "registryReadWrite").status, 200);
    EXPECT_EQ(first_error(post(R"([{"id":"t"},{"id":"t"}])")), "DeviceDefinedMultipleTimes");
}

TEST_F(BulkTest, EndsTheSessionOfADeviceThatItDisables) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    net::run_task([](const TestHub& hub, const support::Identity& who) -> net::Task<> {
        const MqttWish wish{.device = "TempSensor", .identity = &who};
        auto client = co_await hub.connect(wish);
        if (!client) throw std::runtime_error(client.error().text());
        Ask ask{.verb = Verb::post,
                .target = "/devices",
                .body = R"([{"id":"TempSensor","importMode":"update","status":"disabled"}])"};
        const auto answer = co_await hub.call(ask, hub.owner());
        EXPECT_EQ(answer.status, 200) << answer.body;
        const auto ended = co_await ended_within(**client, std::chrono::seconds(10));
        EXPECT_TRUE(ended);
    }(hub_, identity));
}

TEST_F(BulkTest, IsSeenInTheStatistics) {
    post(R"([{"id":"a"},{"id":"b","status":"disabled"},{"id":"c"}])");
    EXPECT_EQ(boost::json::serialize(hub_.get("/statistics/devices?api-version=2021-04-12")),
              R"({"totalDeviceCount":3,"enabledDeviceCount":2,"disabledDeviceCount":1})");
    EXPECT_EQ(boost::json::serialize(hub_.get("/statistics/service")), R"({"connectedDeviceCount":0})");
    EXPECT_EQ(hub_.ask({.target = "/statistics/devices"}, {nullptr, hub_.policy_token("service")}).status,
              401);
}

}  // namespace
}  // namespace hub_test
