// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azure/username.hpp"
#include "websocket_client.hpp"

/// MQTT over WebSocket at the hub's HTTPS port (hub.md 1).
namespace hub_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class WebSocketTest : public testing::Test {
  protected:
    WebSocketTest() { hub_.register_device("TempSensor", identity_); }
    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");
};

base::Bytes connect_packet(std::string device, std::string token = {}) {
    azure::Claim claim;
    claim.identity = {device, ""};
    claim.host = "ContosoIotHub";
    claim.api_version = "2021-04-12";
    mqtt::Connect connect;
    connect.client_id = device;
    connect.user_name = azure::make_username(claim);
    if (!token.empty()) connect.password = token;
    return mqtt::encode(connect);
}

base::Bytes publish_packet(std::uint16_t id, std::string_view text) {
    mqtt::Publish publish;
    publish.topic = "devices/TempSensor/messages/events/";
    const auto payload = base::as_bytes(text);
    publish.payload.assign(payload.begin(), payload.end());
    publish.qos = mqtt::Qos::at_least_once;
    publish.packet_id = id;
    return mqtt::encode(publish);
}

net::Task<> expect_connack(WebSocketClient& client, mqtt::ConnackCode code) {
    const auto packet = co_await client.next_packet();
    const auto* connack = packet ? std::get_if<mqtt::Connack>(&*packet) : nullptr;
    EXPECT_NE(connack, nullptr) << "no CONNACK";
    if (connack != nullptr) {
        EXPECT_EQ(connack->code, code);
    }
}

net::Task<> expect_puback(WebSocketClient& client, std::uint16_t id) {
    const auto packet = co_await client.next_packet();
    const auto* puback = packet ? std::get_if<mqtt::Puback>(&*packet) : nullptr;
    EXPECT_NE(puback, nullptr) << "no PUBACK";
    if (puback != nullptr) {
        EXPECT_EQ(puback->packet_id, id);
    }
}

net::Task<> speak(const TestHub& hub, const support::Identity& identity, std::string protocol,
                  std::string target) {
    auto stream = co_await hub.open_stream(hub.https_port(), &identity);
    WebSocketClient client(std::move(stream));
    const auto head = co_await client.open(protocol, target);
    EXPECT_THAT(head, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nConnection: Upgrade\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Protocol: " + protocol + "\r\n"));
    auto frames = client_frame(2, connect_packet("TempSensor"));
    co_await client.send(frames);
    co_await expect_connack(client, mqtt::ConnackCode::accepted);

    // One packet in three frames with a ping between them, then two packets in one frame.
    const auto first = publish_packet(1, "one");
    const std::span<const std::byte> bytes = first;
    const auto ping = base::as_bytes("are you there");
    const auto two = joined({publish_packet(2, "two"), publish_packet(3, "three")});
    frames = joined({client_frame(2, bytes.first(1), false), client_frame(0, bytes.subspan(1, 20), false),
                     client_frame(9, ping), client_frame(0, bytes.subspan(21)), client_frame(2, two)});
    co_await client.send(frames);
    const auto pong = co_await client.next_frame();
    EXPECT_TRUE(pong && pong->opcode == 10);
    if (pong) {
        EXPECT_EQ(base::as_text(pong->payload), "are you there");
    }
    for (std::uint16_t id = 1; id <= 3; ++id) co_await expect_puback(client, id);

    frames = client_frame(2, mqtt::encode(mqtt::Disconnect{}));
    co_await client.send(frames);
    const auto close = co_await client.next_frame();
    EXPECT_TRUE(close && close->opcode == 8);
    if (close) {
        EXPECT_EQ(base::to_hex(close->payload), "03e8");
    }
    const auto end = co_await client.next_frame();
    EXPECT_FALSE(end);
}

TEST_F(WebSocketTest, CarriesMqttWhateverTheFrames) {
    net::run_task(speak(hub_, identity_, "mqtt", "/$iothub/websocket"));
    const auto stored = hub_.stored();
    ASSERT_EQ(stored.size(), 3U);
    EXPECT_EQ(base::as_text(stored[0].event.message.body), "one");
    EXPECT_EQ(base::as_text(stored[1].event.message.body), "two");
    EXPECT_EQ(base::as_text(stored[2].event.message.body), "three");
    EXPECT_EQ(stored[2].event.origin, (trust::Identity{"TempSensor", ""}));
}

TEST_F(WebSocketTest, ProtocolInCapitalsAndAQueryAreAccepted) {
    net::run_task(speak(hub_, identity_, "MQTT", "/$iothub/websocket?iothub-no-client-cert=true"));
    EXPECT_EQ(hub_.stored().size(), 3U);
}

net::Task<> connect_as(const TestHub& hub, std::string device, std::string token, mqtt::ConnackCode code) {
    auto stream = co_await hub.open_stream(hub.https_port(), nullptr);
    WebSocketClient client(std::move(stream));
    co_await client.open("mqtt", "/$iothub/websocket?iothub-no-client-cert=true");
    const auto frame = client_frame(2, connect_packet(device, token));
    co_await client.send(frame);
    co_await expect_connack(client, code);
    if (code == mqtt::ConnackCode::accepted) co_return;
    const auto close = co_await client.next_frame();
    EXPECT_TRUE(close && close->opcode == 8) << "a refusal can be read to its end";
}

TEST_F(WebSocketTest, IsAuthenticatedAsOverTcp) {
    const auto device = hub_.put_device("sas1", R"({"deviceId":"sas1"})");
    const std::string key(
        device.at("authentication").at("symmetricKey").at("primaryKey").as_string().c_str());
    net::run_task(
        connect_as(hub_, "sas1", hub_.identity_token("sas1", "", key), mqtt::ConnackCode::accepted));
    net::run_task(connect_as(hub_, "sas1",
                             hub_.identity_token("sas1", "", base::to_base64(base::as_bytes("no"))),
                             mqtt::ConnackCode::not_authorized));
    net::run_task(connect_as(hub_, "TempSensor", {}, mqtt::ConnackCode::not_authorized));
}

net::Task<> connect_early(const TestHub& hub, const support::Identity& identity) {
    auto stream = co_await hub.open_stream(hub.https_port(), &identity);
    WebSocketClient client(std::move(stream));
    const std::string_view request =
        "GET /$iothub/websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    const auto head = base::as_bytes(request);
    const auto frames = joined({{head.begin(), head.end()}, client_frame(2, connect_packet("TempSensor"))});
    co_await client.send(frames);
    std::string answer;
    while (answer.find("\r\n\r\n") == std::string::npos) {
        const bool more = co_await client.receive();
        if (!more) break;
        answer = client.received();
    }
    client.drop(answer.find("\r\n\r\n") + 4);
    co_await expect_connack(client, mqtt::ConnackCode::accepted);
}

TEST_F(WebSocketTest, WhatCameBehindTheRequestIsNotLost) {
    net::run_task(connect_early(hub_, identity_));
}

net::Task<> send_broken(const TestHub& hub, const support::Identity& identity, base::Bytes bytes,
                        std::string code) {
    auto stream = co_await hub.open_stream(hub.https_port(), &identity);
    WebSocketClient client(std::move(stream));
    co_await client.open("mqtt");
    const auto connect = client_frame(2, connect_packet("TempSensor"));
    co_await client.send(connect);
    co_await expect_connack(client, mqtt::ConnackCode::accepted);
    co_await client.send(bytes);
    const auto close = co_await client.next_frame();
    EXPECT_TRUE(close && close->opcode == 8);
    if (close) {
        EXPECT_EQ(base::to_hex(close->payload), code);
    }
    const auto end = co_await client.next_frame();
    EXPECT_FALSE(end);
}

TEST_F(WebSocketTest, BrokenFramesEndTheSessionWithTheirCode) {
    const auto publish = publish_packet(1, "x");
    net::run_task(send_broken(hub_, identity_, client_frame(1, publish), "03eb"));
    auto unmasked = client_frame(2, publish);
    unmasked[1] &= std::byte{0x7F};
    net::run_task(send_broken(hub_, identity_, unmasked, "03ea"));
    net::run_task(send_broken(hub_, identity_, client_frame(8, {}), ""));
    EXPECT_TRUE(hub_.stored().empty());
}

net::Task<std::string> refused(const TestHub& hub, std::string protocol) {
    auto stream = co_await hub.open_stream(hub.https_port(), nullptr);
    WebSocketClient client(std::move(stream));
    auto head = co_await client.open(protocol);
    while (client.received().find('}') == std::string::npos) {
        const bool more = co_await client.receive();
        if (!more) break;
    }
    co_return head + client.received();
}

TEST_F(WebSocketTest, AmqpIsRefusedWithTheReason) {
    const auto answer = net::run_task_for(refused(hub_, "AMQPWSB10"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, HasSubstr("not AMQPWSB10"));
    EXPECT_THAT(answer, HasSubstr("iothub-errorcode: GenericBadRequest"));
    const auto at = answer.find("x-ms-request-id: ");
    ASSERT_NE(at, std::string::npos);
    const auto explained = hub_.get("/explain/" + answer.substr(at + 17, 32));
    EXPECT_EQ(explained.at("request").as_string(), "GET /$iothub/websocket");
    EXPECT_EQ(explained.at("answer").as_string(), "400 GenericBadRequest");
}

TEST_F(WebSocketTest, AnOrdinaryRequestToItsPathIsToldWhatItIsFor) {
    const auto answer = hub_.ask({.target = "/$iothub/websocket"}, Caller{});
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("WebSocket"));
    const auto posted = hub_.ask({.verb = http::Verb::post, .target = "/$iothub/websocket"}, Caller{});
    EXPECT_EQ(posted.status, 405);
    EXPECT_EQ(posted.headers.get("Allow"), "GET");
    const auto version = hub_.ask({.target = "/$iothub/websocket",
                                   .headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "8"}}},
                                  Caller{});
    EXPECT_NE(version.status, 101);
}

}  // namespace
}  // namespace hub_test
