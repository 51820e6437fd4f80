// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devicebound_fixture.hpp"

/// Cloud-to-device messages and their feedback over HTTPS.
namespace hub_test {
namespace {

using testing::HasSubstr;

std::string header(const http::Response& response, std::string_view name) {
    return std::string(response.headers.get(name).value_or(""));
}

class DeviceboundHttp : public DeviceboundTest {
  protected:
    http::Response receive(std::map<std::string, std::string> headers = {}) {
        return hub_.ask({.target = path_, .headers = std::move(headers)}, device());
    }
    /// Receives, and gives the lock token as SDKs read it: one quote taken off each end.
    std::string lock() {
        const auto found = receive();
        EXPECT_EQ(found.status, 200) << found.body;
        const auto etag = header(found, "ETag");
        return etag.size() < 2 ? std::string() : etag.substr(1, etag.size() - 2);
    }
    http::Response complete(const std::string& token) {
        return hub_.ask({.verb = http::Verb::delete_,
                         .target = path_ + "/" + token + "?api-version=x",
                         .if_match = token},
                        device());
    }
    http::Response reject(const std::string& token) {
        return hub_.ask(
            {.verb = http::Verb::delete_, .target = path_ + "/" + token + "?api-version=x&reject"}, device());
    }
    http::Response abandon(const std::string& token) {
        return hub_.ask({.verb = http::Verb::post, .target = path_ + "/" + token + "/abandon"}, device());
    }
    http::Response feedback(int wait = 0) {
        return hub_.ask({.target = "/messages/serviceBound/feedback?wait=" + std::to_string(wait)});
    }
    static void expect_error(const http::Response& answer, int status, std::string_view code) {
        EXPECT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(header(answer, "iothub-errorcode"), code) << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("ErrorCode:" + std::string(code) + ";"));
    }

    const std::string path_ = "/devices/TempSensor/messages/deviceBound";
};

TEST_F(DeviceboundHttp, DeviceReceivesTheMessageWithItsPropertiesAndCompletesIt) {
    EXPECT_EQ(receive().status, 204);
    ASSERT_EQ(send("hello", {{"iothub-messageid", "m1"},
                             {"iothub-correlationid", "c1"},
                             {"iothub-ack", "full"},
                             {"iothub-app-alert", "high"},
                             {"iothub-contenttype", "text/plain"}})
                  .status,
              204);
    const auto found = receive();
    ASSERT_EQ(found.status, 200) << found.body;
    EXPECT_EQ(found.body, "hello");
    EXPECT_EQ(header(found, "iothub-messageid"), "m1");
    EXPECT_EQ(header(found, "iothub-correlationid"), "c1");
    EXPECT_EQ(header(found, "iothub-ack"), "full");
    EXPECT_EQ(header(found, "iothub-app-alert"), "high");
    EXPECT_EQ(header(found, "iothub-contenttype"), "text/plain");
    EXPECT_EQ(header(found, "iothub-to"), "/devices/TempSensor/messages/devicebound");
    EXPECT_EQ(header(found, "iothub-sequencenumber"), "1");
    EXPECT_EQ(header(found, "iothub-deliverycount"), "0");
    EXPECT_THAT(header(found, "iothub-enqueuedtime"), testing::EndsWith("Z"));
    EXPECT_EQ(receive().status, 204) << "it is locked";
    EXPECT_EQ(waiting(), 1);
    const auto etag = header(found, "ETag");
    ASSERT_THAT(etag, testing::MatchesRegex("\"[-0-9a-f]{36}\""));
    const auto token = etag.substr(1, 36);
    EXPECT_EQ(complete(token).status, 204);
    EXPECT_EQ(waiting(), 0);
    expect_error(complete(token), 412, "DeviceMessageLockLost");
}

TEST_F(DeviceboundHttp, AbandonedMessageComesAgainAndIsCounted) {
    ASSERT_EQ(send("x").status, 204);
    EXPECT_EQ(abandon(lock()).status, 204);
    const auto again = receive();
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(header(again, "iothub-deliverycount"), "1");
}

TEST_F(DeviceboundHttp, RejectedMessageIsGone) {
    ASSERT_EQ(send("x").status, 204);
    EXPECT_EQ(reject(lock()).status, 204);
    EXPECT_EQ(waiting(), 0);
}

TEST_F(DeviceboundHttp, LockLastsAsLongAsTheDeviceAsks) {
    ASSERT_EQ(send("x").status, 204);
    const auto found = receive({{"IotHub-MessageLockTimeout", "10"}});
    ASSERT_EQ(found.status, 200);
    hub_.clock().move(std::chrono::seconds(10));
    expect_error(complete(header(found, "ETag").substr(1, 36)), 412, "DeviceMessageLockLost");
    EXPECT_EQ(receive().status, 200);
    for (const auto* wrong : {"0", "301", "soon", "-1"})
        expect_error(receive({{"IotHub-MessageLockTimeout", wrong}}), 400, "ArgumentInvalid");
}

TEST_F(DeviceboundHttp, MessageThatCannotBeIsRefused) {
    expect_error(send("x", {{"iothub-ack", "perhaps"}}), 400, "ArgumentInvalid");
    expect_error(send("x", {{"iothub-expiry", "tomorrow"}}), 400, "ArgumentInvalid");
    expect_error(send("x", {{"iothub-app-$.exp", "y"}}), 400, "ArgumentInvalid");
    expect_error(send(std::string(64 * 1024 + 1, 'x')), 413, "MessageTooLarge");
    const auto now = hub_.clock().now_ms().time_since_epoch().count();
    expect_error(send("x", {{"iothub-expiry", std::to_string(now - 1000)}}), 403, "InvalidMessageExpiryTime");
    expect_error(send("x", {{"iothub-expiry", std::to_string(now + 3LL * 24 * 3600 * 1000)}}), 403,
                 "InvalidMessageExpiryTime");
    EXPECT_EQ(waiting(), 0);
    EXPECT_EQ(send(std::string(64 * 1024, 'x')).status, 204);
    auto stranger = message("x");
    stranger.target = "/devices/Stranger/messages/devicebound";
    expect_error(hub_.ask(stranger), 404, "DeviceNotFound");
}

TEST_F(DeviceboundHttp, FiftyFirstMessageIsRefused) {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(send("x").status, 204);
    expect_error(send("x"), 403, "DeviceMaximumQueueDepthExceeded");
    EXPECT_EQ(waiting(), 50);
}

TEST_F(DeviceboundHttp, ServicesSendAndDevicesReceiveAndNobodyElse) {
    expect_error(hub_.ask(message("x"), device()), 401, "IotHubUnauthorized");
    for (const auto* policy : {"registryReadWrite", "device"})
        expect_error(hub_.ask(message("x"), {nullptr, hub_.policy_token(policy)}), 401, "IotHubUnauthorized");
    EXPECT_EQ(hub_.ask(message("x"), {nullptr, hub_.policy_token("service")}).status, 204);
    const Ask question{.target = path_};
    expect_error(hub_.ask(question, {nullptr, hub_.policy_token("service")}), 401, "IotHubUnauthorized");
    const auto other = hub_.device_identity("Other");
    hub_.register_device("Other", other);
    expect_error(hub_.ask(question, {&other, {}}), 401, "IotHubUnauthorized");
    EXPECT_EQ(hub_.ask(question, {nullptr, hub_.policy_token("device")}).status, 200);
    for (const auto& [verb, target] : std::initializer_list<std::pair<http::Verb, const char*>>{
             {http::Verb::delete_, "/devices/TempSensor/commands"},
             {http::Verb::get, "/messages/serviceBound/feedback"},
             {http::Verb::delete_, "/messages/serviceBound/feedback/x"},
             {http::Verb::post, "/messages/serviceBound/feedback/x/abandon"}})
        expect_error(hub_.ask({.verb = verb, .target = target}, {nullptr, hub_.policy_token("device")}), 401,
                     "IotHubUnauthorized");
}

TEST_F(DeviceboundHttp, PurgeTellsHowManyItRemoved) {
    ASSERT_EQ(send("1").status, 204);
    ASSERT_EQ(send("2").status, 204);
    const auto token = lock();
    const auto purged = hub_.ask({.verb = http::Verb::delete_, .target = "/devices/TempSensor/commands"});
    EXPECT_EQ(purged.status, 200);
    EXPECT_EQ(purged.body, R"({"deviceId":"TempSensor","moduleId":null,"totalMessagesPurged":2})");
    expect_error(complete(token), 412, "DeviceMessageLockLost");
    expect_error(hub_.ask({.verb = http::Verb::delete_, .target = "/devices/Stranger/commands"}), 404,
                 "DeviceNotFound");
}

TEST_F(DeviceboundHttp, FeedbackIsReadOnceItIsDueAndUntilItIsCompleted) {
    ASSERT_EQ(send("x", {{"iothub-messageid", "m1"}, {"iothub-ack", "full"}}).status, 204);
    ASSERT_EQ(complete(lock()).status, 204);
    EXPECT_EQ(feedback().status, 204) << "it waits for others";
    hub_.clock().move(std::chrono::seconds(16));
    const auto found = feedback();
    ASSERT_EQ(found.status, 200) << found.body;
    EXPECT_EQ(header(found, "Content-Type"), "application/vnd.microsoft.iothub.feedback.json");
    EXPECT_EQ(header(found, "iothub-userid"), "ContosoIotHub");
    const auto records = boost::json::parse(found.body).as_array();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].at("originalMessageId"), "m1");
    EXPECT_EQ(records[0].at("statusCode"), "Success");
    EXPECT_EQ(records[0].at("deviceId"), "TempSensor");
    EXPECT_EQ(records[0].at("deviceGenerationId"), hub_.get("/devices/TempSensor").at("generationId"));
    EXPECT_EQ(feedback().status, 204) << "it is locked";
    const std::string base = "/messages/servicebound/feedback/";
    EXPECT_EQ(hub_.ask({.verb = http::Verb::post,
                        .target = base + header(found, "ETag").substr(1, 36) + "/abandon"})
                  .status,
              204);
    const auto again = feedback();
    ASSERT_EQ(again.status, 200);
    const auto token = header(again, "ETag").substr(1, 36);
    EXPECT_EQ(hub_.ask({.verb = http::Verb::delete_, .target = base + token}).status, 204);
    expect_error(hub_.ask({.verb = http::Verb::delete_, .target = base + token}), 412,
                 "DeviceMessageLockLost");
    EXPECT_EQ(feedback().status, 204);
}

TEST_F(DeviceboundHttp, HeldReaderHearsOfAnExpiredMessage) {
    const auto soon = hub_.clock().now() + std::chrono::seconds(60);
    ASSERT_EQ(send("x", {{"iothub-messageid", "m1"},
                         {"iothub-ack", "negative"},
                         {"iothub-expiry", base::format_rfc3339(soon)}})
                  .status,
              204);
    hub_.clock().move(std::chrono::seconds(61));
    // The hub finds out by itself that the message has expired, and that its feedback is due.
    auto found = http::Response::empty(204);
    for (int round = 0; round < 30 && found.status != 200; ++round) {
        found = feedback(1);
        hub_.clock().move(std::chrono::seconds(16));
    }
    EXPECT_THAT(found.body, HasSubstr(R"("statusCode":"Expired")"));
    EXPECT_EQ(waiting(), 0);
}

TEST_F(DeviceboundHttp, DeletedDeviceLosesItsQueue) {
    ASSERT_EQ(send("x").status, 204);
    ASSERT_EQ(
        hub_.ask({.verb = http::Verb::delete_, .target = "/devices/TempSensor", .if_match = "*"}).status,
        204);
    hub_.register_device("TempSensor", identity_);
    EXPECT_EQ(waiting(), 0);
    EXPECT_EQ(receive().status, 204);
}

}  // namespace
}  // namespace hub_test
