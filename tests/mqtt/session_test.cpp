// SPDX-License-Identifier: Apache-2.0
#include "mqtt/session.hpp"

#include <gtest/gtest.h>

#include "script.hpp"

namespace {

using mqtt::ConnackCode;
using mqtt::Qos;
using mqtt_test::Script;
using namespace std::chrono_literals;

constexpr auto telemetry_topic = "devices/TempSensor/messages/events/";

mqtt::Connect connect(std::uint16_t keep_alive = 180) {
    mqtt::Connect packet;
    packet.client_id = "TempSensor";
    packet.clean_session = false;
    packet.keep_alive = keep_alive;
    packet.user_name = "contosoiothub.local/TempSensor/?api-version=2021-04-12";
    return packet;
}

mqtt::Publish publish(std::uint16_t id, Qos qos = Qos::at_least_once) {
    mqtt::Publish packet;
    packet.topic = telemetry_topic;
    packet.payload = {std::byte{'{'}, std::byte{'}'}};
    packet.qos = qos;
    packet.packet_id = id;
    return packet;
}

mqtt::Connack connack(ConnackCode code = ConnackCode::accepted, bool present = false) {
    return {.session_present = present, .code = code};
}

/// A script that stands behind an accepted CONNECT.
Script connected(std::uint16_t keep_alive = 180) {
    Script script;
    script.receives(connect(keep_alive)).authenticates().accepts().sends(connack());
    return script;
}

TEST(Session, PlaysTheArticlesConversationHoweverItIsCut) {
    Script()
        .receives(connect())
        .authenticates()
        .accepts(true)
        .sends(connack(ConnackCode::accepted, true))
        .receives(mqtt::Subscribe{7, {{"devices/TempSensor/messages/devicebound/#", Qos::at_least_once}}})
        .asks_grant({Qos::at_least_once})
        .grants(7, {1})
        .sends(mqtt::Suback{7, {1}})
        .receives(publish(8))
        .delivers(telemetry_topic)
        .does_nothing()
        .stored(8)
        .sends(mqtt::Puback{8})
        .receives(mqtt::Pingreq{})
        .sends(mqtt::Pingresp{})
        .receives(mqtt::Unsubscribe{9, {"devices/TempSensor/messages/devicebound/#"}})
        .sends(mqtt::Unsuback{9})
        .revokes("devices/TempSensor/messages/devicebound/#")
        .receives(mqtt::Disconnect{})
        .ends()
        .cut_at_every_byte();
}

TEST(Session, AcknowledgesOnlyAfterStore) {
    connected()
        .receives(publish(1))
        .delivers(telemetry_topic)
        .does_nothing()
        .stored(1)
        .sends(mqtt::Puback{1})
        .run();
}

TEST(Session, AcknowledgesInTheOrderOfArrival) {
    connected()
        .receives(publish(5))
        .receives(publish(3))
        .receives(publish(9))
        .delivers(telemetry_topic)
        .delivers(telemetry_topic)
        .delivers(telemetry_topic)
        .stored(9)
        .does_nothing()
        .stored(5)
        .sends(mqtt::Puback{5})
        .does_nothing()
        .stored(3)
        .sends(mqtt::Puback{3})
        .sends(mqtt::Puback{9})
        .run();
}

TEST(Session, AcknowledgesEachCopyOfARepeatedPacketId) {
    connected()
        .receives(publish(5))
        .receives(publish(5))
        .delivers(telemetry_topic)
        .delivers(telemetry_topic)
        .stored(5)
        .sends(mqtt::Puback{5})
        .does_nothing()
        .stored(5)
        .sends(mqtt::Puback{5})
        .run();
}

TEST(Session, DoesNotAcknowledgeQosZeroNorAnUnknownId) {
    connected()
        .receives(publish(0, Qos::at_most_once))
        .delivers(telemetry_topic)
        .stored(0)
        .stored(44)
        .does_nothing()
        .run();
}

TEST(Session, ClosesOnQosTwo) {
    connected().receives(publish(1, Qos::exactly_once)).closes("QoS 2").run();
}

TEST(Session, ClosesOnEveryStepOfQosTwo) {
    for (const std::uint8_t type : {5, 6, 7})
        connected().receives(mqtt::QosTwoStep{type, 1}).closes("QoS 2").run();
}

TEST(Session, ClosesOnASecondConnect) {
    connected().receives(connect()).closes("MQTT-3.1.0-2").run();
    Script().receives(connect()).authenticates().receives(connect()).closes("MQTT-3.1.0-2").run();
}

TEST(Session, ClosesOnAnythingBeforeConnect) {
    const std::vector<mqtt::Packet> packets = {
        publish(1),      mqtt::Puback{1},    mqtt::Subscribe{1, {{"a", Qos::at_most_once}}},
        mqtt::Pingreq{}, mqtt::Disconnect{}, mqtt::Unsubscribe{1, {"a"}},
        mqtt::Connack{}, mqtt::Pingresp{},   mqtt::QosTwoStep{6, 1}};
    for (const auto& packet : packets) Script().receives(packet).closes("MQTT-3.1.0-1").run();
}

TEST(Session, ClosesOnPacketsThatOnlyAServerSends) {
    for (const auto& packet : std::vector<mqtt::Packet>{mqtt::Connack{}, mqtt::Suback{1, {0}},
                                                        mqtt::Unsuback{1}, mqtt::Pingresp{}})
        connected().receives(packet).closes("never sent by a client").run();
}

TEST(Session, HandlesNothingOnceItCloses) {
    connected()
        .receives(publish(1, Qos::exactly_once))
        .closes("QoS 2")
        .receives(mqtt::Pingreq{})
        .stored(1)
        .grants(1, {1})
        .does_nothing()
        .checks([](auto& session, auto) { EXPECT_EQ(session.state(), mqtt::Session::State::closing); })
        .run();
}

TEST(Session, RefusesOtherProtocolLevelsByConnackOne) {
    Script()
        .receives_bytes(*base::from_hex("100c00044d515454030200000000"))
        .sends(connack(ConnackCode::unacceptable_protocol))
        .closes("MQTT level 3")
        .run();
    Script()
        .receives_bytes(*base::from_hex("100e00064d514973647003020000"
                                        "0000"))
        .sends(connack(ConnackCode::unacceptable_protocol))
        .closes("MQIsdp level 3")
        .run();
}

TEST(Session, AnswersLevelFiveInItsOwnWords) {
    // CONNECT of MQTT 5 with a properties length behind keep-alive.
    Script()
        .receives_bytes(*base::from_hex("100d00044d5154540502003c000000"))
        .checks([](auto& session, auto) { EXPECT_EQ(session.state(), mqtt::Session::State::closing); })
        .sends(mqtt::Connack{.code = ConnackCode::unacceptable_protocol, .level = 5})
        .closes("MQTT level 5")
        .run();
    EXPECT_EQ(
        base::to_hex(mqtt::encode(mqtt::Connack{.code = ConnackCode::unacceptable_protocol, .level = 5})),
        "2003008400");
}

TEST(Session, RefusesAnEmptyClientIdWithoutCleanSession) {
    auto packet = connect();
    packet.client_id.clear();
    Script().receives(packet).sends(connack(ConnackCode::identifier_rejected)).closes("MQTT-3.1.3-8").run();
}

TEST(Session, SendsTheRefusalThenCloses) {
    Script()
        .receives(connect())
        .authenticates()
        .receives(publish(1))
        .refuses(ConnackCode::not_authorized)
        .sends(connack(ConnackCode::not_authorized))
        .closes("is not known")
        .run();
}

TEST(Session, KeepsPacketsThatArriveWhileAuthenticating) {
    Script()
        .receives(connect())
        .authenticates()
        .receives(mqtt::Subscribe{1, {{"a/#", Qos::exactly_once}}})
        .receives(publish(2))
        .receives(mqtt::Disconnect{})
        .receives(publish(3))
        .does_nothing()
        .accepts()
        .sends(connack())
        .asks_grant({Qos::at_least_once})
        .delivers(telemetry_topic)
        .ends()
        .run();
}

TEST(Session, ClosesWhenTooMuchArrivesWhileAuthenticating) {
    auto big = publish(1);
    big.payload.resize(mqtt::limits::payload);
    Script()
        .receives(connect())
        .authenticates()
        .receives(big)
        .does_nothing()
        .receives(big)
        .does_nothing()
        .receives(big)
        .closes("limit")
        .accepts()
        .does_nothing()
        .run();
}

TEST(Session, CountsSmallPacketsByTheirMemoryWhileAuthenticating) {
    mqtt::Session session;
    session.on_packet(connect(), base::Instant{});
    std::size_t kept = 0;
    while (session.state() == mqtt::Session::State::authenticating && kept < 100'000) {
        session.on_packet(mqtt::Pingreq{}, base::Instant{});
        ++kept;
    }
    EXPECT_LE(kept * sizeof(mqtt::Packet), mqtt::limits::waiting + 2 * sizeof(mqtt::Packet));
}

TEST(Session, LowersQosTwoOfASubscriptionToOne) {
    connected()
        .receives(mqtt::Subscribe{
            1, {{"a", Qos::exactly_once}, {"b", Qos::at_most_once}, {"c", Qos::at_least_once}}})
        .asks_grant({Qos::at_least_once, Qos::at_most_once, Qos::at_least_once})
        .grants(1, {2, 0, 0x80})
        .sends(mqtt::Suback{1, {1, 0, 0x80}})
        .run();
}

TEST(Session, NeverSaysSessionPresentToACleanSession) {
    auto packet = connect();
    packet.clean_session = true;
    Script().receives(packet).authenticates().accepts(true).sends(connack()).run();
}

struct Patience {
    std::uint16_t keep_alive;
    std::chrono::seconds expected;
};

TEST(Session, IsPatientForOneAndAHalfTimesKeepAliveUpToTheCap) {
    for (const auto& [keep_alive, expected] : std::initializer_list<Patience>{{0, 1767s},
                                                                              {1, 2s},
                                                                              {60, 90s},
                                                                              {180, 270s},
                                                                              {1177, 1766s},
                                                                              {1178, 1767s},
                                                                              {1179, 1767s},
                                                                              {65535, 1767s}}) {
        connected(keep_alive)
            .checks([&](auto& session, auto now) { EXPECT_EQ(session.silent_after() - now, expected); })
            .passes(1s)
            .checks([&](auto& session, auto now) { EXPECT_EQ(session.silent_after() - now, expected - 1s); })
            .receives(mqtt::Pingreq{})
            .sends(mqtt::Pingresp{})
            .checks([&](auto& session, auto now) { EXPECT_EQ(session.silent_after() - now, expected); })
            .run();
    }
}

TEST(Session, GivesAPeerSixtySecondsForConnectAndItselfAsLongAsItTakes) {
    Script()
        .checks([](auto& session, auto now) { EXPECT_EQ(session.silent_after() - now, 60s); })
        .receives(connect())
        .authenticates()
        .checks([](auto& session, auto) { EXPECT_EQ(session.silent_after(), base::Instant::max()); })
        .run();
}

mqtt::Connect connect_with_will(Qos qos) {
    auto packet = connect();
    packet.will = mqtt::Will{telemetry_topic, {}, qos, false};
    return packet;
}

TEST(Session, KeepsTheWillUntilAnOrderlyEnd) {
    const auto has_will = [](bool expected) {
        return [expected](mqtt::Session& session, auto) { EXPECT_EQ(session.will().has_value(), expected); };
    };
    Script()
        .receives(connect_with_will(Qos::at_least_once))
        .authenticates()
        .checks(has_will(false))
        .accepts()
        .sends(connack())
        .checks(has_will(true))
        .receives(mqtt::Disconnect{})
        .ends()
        .checks(has_will(false))
        .run();
    Script()
        .receives(connect_with_will(Qos::at_most_once))
        .authenticates()
        .accepts()
        .sends(connack())
        .receives(publish(1, Qos::exactly_once))
        .closes("QoS 2")
        .checks(has_will(true))
        .run();
}

TEST(Session, PublishesNoWillOfARefusedClient) {
    Script()
        .receives(connect_with_will(Qos::at_least_once))
        .authenticates()
        .refuses(ConnackCode::not_authorized)
        .sends(connack(ConnackCode::not_authorized))
        .closes("is not known")
        .checks([](mqtt::Session& session, auto) { EXPECT_FALSE(session.will()); })
        .run();
}

TEST(Session, ClosesOnAWillOfQosTwoWithoutAnAnswer) {
    Script().receives(connect_with_will(Qos::exactly_once)).closes("will of QoS 2").run();
}

TEST(Session, GivesIdsToMessagesThatNeedOneAndTakesThemBack) {
    connected()
        .checks([](mqtt::Session& session, auto) {
            EXPECT_EQ(session.send(publish(99, Qos::at_most_once))->packet_id, 0);
            EXPECT_EQ(session.send(publish(99))->packet_id, 1);
            EXPECT_EQ(session.send(publish(99, Qos::exactly_once))->qos, Qos::at_least_once);
            EXPECT_EQ(session.in_flight(), 2U);
        })
        .receives(mqtt::Puback{1})
        .learns_acknowledged(1)
        .receives(mqtt::Puback{1})
        .does_nothing()
        .receives(mqtt::Puback{77})
        .does_nothing()
        .checks([](mqtt::Session& session, auto) { EXPECT_EQ(session.in_flight(), 1U); })
        .run();
}

TEST(Session, GivesTheIdThatIsWantedWhereItIsFree) {
    mqtt::Session session;
    session.on_packet(connect(), base::Instant{});
    session.accept(false, base::Instant{});
    auto again = publish(0);
    again.duplicate = true;
    const auto sent = session.send(again, 7);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->packet_id, 7);
    EXPECT_TRUE(sent->duplicate);
    EXPECT_EQ(session.send(publish(0), 7)->packet_id, 1) << "it is taken";
    EXPECT_EQ(session.send(publish(0), 2)->packet_id, 2);
    EXPECT_EQ(session.send(publish(0))->packet_id, 3);
    EXPECT_EQ(session.send(publish(0, Qos::at_most_once), 9)->packet_id, 0);
    session.on_packet(mqtt::Puback{7}, base::Instant{});
    EXPECT_EQ(session.send(publish(0), 7)->packet_id, 7);
}

TEST(Session, FindsTheLastFreeIdAndThenHasNone) {
    mqtt::Session session;
    session.on_packet(connect(), base::Instant{});
    session.accept(false, base::Instant{});
    for (unsigned i = 1; i <= 65'535; ++i) ASSERT_EQ(session.send(publish(0))->packet_id, i);
    EXPECT_FALSE(session.send(publish(0)));
    session.on_packet(mqtt::Puback{300}, base::Instant{});
    session.on_packet(mqtt::Puback{7}, base::Instant{});
    EXPECT_EQ(session.send(publish(0))->packet_id, 7);
    EXPECT_EQ(session.send(publish(0))->packet_id, 300);
    EXPECT_FALSE(session.send(publish(0)));
}

TEST(Session, ClosesWhenAClientSendsMoreThanThereArePacketIds) {
    mqtt::Session session;
    session.on_packet(connect(), base::Instant{});
    session.accept(false, base::Instant{});
    for (unsigned i = 1; i <= 65'535; ++i) session.on_packet(publish(1), base::Instant{});
    EXPECT_EQ(session.unstored(), 65'535U);
    const auto actions = session.on_packet(publish(1), base::Instant{});
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<mqtt::Close>(actions[0]));
}

}  // namespace
