// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"
#include "websocket_client.hpp"

/// The device API over HTTPS: sending (hub.md 4).
namespace hub_test {
namespace {

using http::Verb;
using testing::HasSubstr;
using testing::StartsWith;

const std::string own_target = "/devices/TempSensor/messages/events?api-version=2021-04-12";
const std::string batch_type = "application/vnd.microsoft.iothub.json";

class DeviceMessageTest : public testing::Test {
  protected:
    DeviceMessageTest() { hub_.register_device("TempSensor", identity_); }
    http::Response send(Ask ask) { return hub_.ask(std::move(ask), {&identity_, {}}); }
    http::Response send_batch(std::string body) {
        return send({.verb = Verb::post,
                     .target = own_target,
                     .body = std::move(body),
                     .headers = {{"Content-Type", batch_type}}});
    }
    std::string body_of(std::size_t i) {
        return std::string(base::as_text(hub_.stored().at(i).event.message.body));
    }

    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");
};

TEST_F(DeviceMessageTest, EveryHeaderBecomesItsProperty) {
    const auto response = send({.verb = Verb::post,
                                .target = own_target,
                                .body = "x",
                                .headers = {{"iothub-messageid", "id1"},
                                            {"iothub-correlationid", "c1"},
                                            {"iothub-userid", "u1"},
                                            {"iothub-to", "/there"},
                                            {"iothub-expiry", "2030-01-01T00:00:00Z"},
                                            {"iothub-ack", "full"},
                                            {"iothub-contenttype", "application/json"},
                                            {"iothub-contentencoding", "utf-8"},
                                            {"iothub-interface-id", "urn:i"},
                                            {"dt-subject", "part"},
                                            {"IoTHub-App-Alert", "yes"},
                                            {"User-Agent", "none of the message"}}});
    EXPECT_EQ(response.status, 204) << response.body;
    EXPECT_EQ(response.body, "");
    const auto message = hub_.stored().at(0).event.message;
    EXPECT_THAT(message.system,
                testing::UnorderedElementsAreArray(azure::Properties{{"message-id", "id1"},
                                                                     {"correlation-id", "c1"},
                                                                     {"user-id", "u1"},
                                                                     {"to", "/there"},
                                                                     {"expiry", "2030-01-01T00:00:00Z"},
                                                                     {"content-type", "application/json"},
                                                                     {"content-encoding", "utf-8"},
                                                                     {"interface-id", "urn:i"},
                                                                     {"dt-subject", "part"}}));
    EXPECT_THAT(message.application, testing::UnorderedElementsAreArray(
                                         azure::Properties{{"iothub-ack", "full"}, {"Alert", "yes"}}));
}

TEST_F(DeviceMessageTest, BatchIsStoredInItsOrderWithItsProperties) {
    const auto response = send_batch(
        R"([{"body":"b25l","properties":{"iothub-app-k":"v","iothub-messageid":"id1"}},)"
        R"({"body":"two, plain","base64Encoded":false},{"body":"dGhyZWU=","base64Encoded":true,"properties":null},)"
        R"({"body":""}])");
    EXPECT_EQ(response.status, 204) << response.body;
    ASSERT_EQ(hub_.stored().size(), 4U);
    EXPECT_EQ(body_of(0), "one");
    EXPECT_EQ(body_of(1), "two, plain");
    EXPECT_EQ(body_of(2), "three");
    EXPECT_EQ(body_of(3), "");
    const auto first = hub_.stored().at(0).event;
    EXPECT_EQ(first.message.application, (azure::Properties{{"k", "v"}}));
    EXPECT_EQ(first.message.system, (azure::Properties{{"message-id", "id1"}}));
    EXPECT_EQ(first.origin, (trust::Identity{"TempSensor", ""}));
}

TEST_F(DeviceMessageTest, OtherContentTypesAreBodiesAndParametersDoNotMatter) {
    const std::string batch = R"([{"body":"b25l"}])";
    for (const auto& [type, stored] : std::map<std::string, std::string>{
             {"application/json", batch},
             {batch_type + "x", batch},
             {"Application/vnd.Microsoft.IoTHub.JSON; charset=utf-8", "one"}}) {
        const auto before = hub_.stored().size();
        EXPECT_EQ(send({.verb = Verb::post,
                        .target = own_target,
                        .body = batch,
                        .headers = {{"Content-Type", type}}})
                      .status,
                  204);
        EXPECT_EQ(body_of(before), stored) << type;
    }
}

TEST_F(DeviceMessageTest, BadBatchesAreRefusedWholeWithTheirCode) {
    const std::vector<std::pair<std::string, int>> cases{
        {"{", 400},
        {"{}", 400},
        {"[1]", 400},
        {R"([{"body":"b25l"},{}])", 400},
        {R"([{"body":"***"}])", 400},
        {R"([{"body":1}])", 400},
        {R"([{"body":"","base64Encoded":"no"}])", 400},
        {R"([{"body":"","properties":[]}])", 400},
        {R"([{"body":"","properties":{"iothub-app-k":1}}])", 400},
        {R"([{"body":"","properties":{"iothub-app-":"v"}}])", 400},
        {std::string(100'000, '['), 400},
        {R"([{"body":")" + std::string(256 * 1024, 'x') + R"(","base64Encoded":false},{"body":"eA=="}])",
         413}};
    for (const auto& [body, status] : cases) {
        const auto response = send_batch(body);
        EXPECT_EQ(response.status, status) << body.substr(0, 80);
        EXPECT_EQ(response.headers.get("iothub-errorcode"),
                  status == 413 ? "MessageTooLarge" : "IotHubFormatError");
    }
    EXPECT_TRUE(hub_.stored().empty());
}

TEST_F(DeviceMessageTest, PropertiesCountAgainstTheLimit) {
    Ask ask{.verb = Verb::post, .target = own_target, .body = std::string(256 * 1024 - 2, 'x')};
    ask.headers["iothub-app-k"] = "v";
    EXPECT_EQ(send(ask).status, 204);
    ask.headers["iothub-app-k"] = "vv";
    const auto response = send(ask);
    EXPECT_EQ(response.status, 413);
    EXPECT_THAT(response.body, HasSubstr("ErrorCode:MessageTooLarge;"));
    EXPECT_EQ(hub_.stored().size(), 1U);
}

TEST_F(DeviceMessageTest, PropertyThatIsNoUtf8IsRefused) {
    Ask ask{.verb = Verb::post, .target = own_target, .body = "x"};
    ask.headers["iothub-app-k"] = "\xff";
    EXPECT_EQ(send(ask).status, 400);
    EXPECT_TRUE(hub_.stored().empty());
}

TEST_F(DeviceMessageTest, ModuleSendsForItself) {
    const auto made = hub_.ask({.verb = Verb::put,
                                .target = "/devices/TempSensor/modules/m1",
                                .body = R"({"deviceId":"TempSensor","moduleId":"m1"})"});
    ASSERT_EQ(made.status, 200) << made.body;
    const auto module = boost::json::parse(made.body);
    const std::string key(
        module.at("authentication").at("symmetricKey").at("primaryKey").as_string().c_str());
    const Ask ask{.verb = Verb::post,
                  .target = "/devices/TempSensor/modules/m1/messages/events?api-version=2021-04-12",
                  .body = "x"};
    EXPECT_EQ(hub_.ask(ask, {nullptr, hub_.identity_token("TempSensor", "m1", key)}).status, 204);
    EXPECT_EQ(hub_.stored().at(0).event.origin, (trust::Identity{"TempSensor", "m1"}));
    EXPECT_EQ(hub_.ask(ask, {&identity_, {}}).status, 401) << "a device does not speak for its modules";
    auto other = ask;
    other.target = own_target;
    EXPECT_EQ(hub_.ask(other, {nullptr, hub_.identity_token("TempSensor", "m1", key)}).status, 401);
}

net::Task<std::string> send_chunked(const TestHub& hub, const support::Identity& identity) {
    auto stream = co_await hub.open_stream(hub.https_port(), &identity);
    WebSocketClient client(std::move(stream));
    const auto bytes = base::as_bytes(
        "POST /devices/TempSensor/messages/events?api-version=2021-04-12 HTTP/1.1\r\nHost: ContosoIotHub\r\n"
        "iothub-app-k: v\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "4\r\nbody\r\n5\r\n in 2\r\n0\r\n\r\n");
    base::Bytes request(bytes.begin(), bytes.end());
    co_await client.send(std::move(request));
    for (;;) {
        const bool more = co_await client.receive();
        if (!more) break;
    }
    co_return client.received();
}

TEST_F(DeviceMessageTest, ChunkedBodyWithoutLengthIsOneMessage) {
    const auto answer = net::run_task_for(send_chunked(hub_, identity_));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 No Content\r\n"));
    ASSERT_EQ(hub_.stored().size(), 1U);
    EXPECT_EQ(body_of(0), "body in 2");
}

}  // namespace
}  // namespace hub_test
