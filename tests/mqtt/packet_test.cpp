// SPDX-License-Identifier: Apache-2.0
#include "mqtt/packet.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace {

using mqtt::Qos;

base::Bytes hex(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c != ' ') digits += c;
    auto bytes = base::from_hex(digits);
    if (!bytes) throw std::invalid_argument("not hex: " + digits);
    return *bytes;
}

mqtt::Packet decode_whole(const base::Bytes& bytes) {
    auto decoded = mqtt::decode(bytes);
    if (!decoded) throw std::runtime_error(decoded.error().text());
    if (!*decoded) throw std::runtime_error("more bytes are wanted");
    EXPECT_EQ((*decoded)->consumed, bytes.size());
    return (*decoded)->packet;
}

// From hub.md 2.2: level 4, flags C0, keep-alive 180.
TEST(Packet, ReadsTheConnectOfTheNodeSdk) {
    const auto packet =
        decode_whole(hex("10 1c 0004 4d515454 04 c0 00b4 000a 54656d7053656e736f72 0001 75 0001 70"));
    const auto& a_connect = std::get<mqtt::Connect>(packet);
    EXPECT_EQ(a_connect.client_id, "TempSensor");
    EXPECT_FALSE(a_connect.clean_session);
    EXPECT_EQ(a_connect.keep_alive, 180);
    EXPECT_EQ(a_connect.user_name, "u");
    EXPECT_EQ(a_connect.password, "p");
    EXPECT_FALSE(a_connect.will);
    EXPECT_EQ(mqtt::name(packet), "CONNECT");
}

TEST(Packet, TellsAnEmptyPasswordFromNone) {
    EXPECT_EQ(std::get<mqtt::Connect>(decode_whole(hex("10 11 0004 4d515454 04 c2 0000 0000 0001 75 0000")))
                  .password,
              "");
    EXPECT_FALSE(
        std::get<mqtt::Connect>(decode_whole(hex("10 0f 0004 4d515454 04 82 0000 0000 0001 75"))).password);
}

TEST(Packet, ReadsAWill) {
    const auto packet = decode_whole(hex("10 15 0004 4d515454 04 2e 0000 0001 41 0001 74 0003 000102"));
    const auto& will = std::get<mqtt::Connect>(packet).will;
    ASSERT_TRUE(will);
    EXPECT_EQ(will->topic, "t");
    EXPECT_EQ(will->payload, hex("000102"));
    EXPECT_EQ(will->qos, Qos::at_least_once);
    EXPECT_TRUE(will->retain);
}

TEST(Packet, WritesWhatTheStandardShows) {
    mqtt::Publish a_publish{.topic = "a/b",
                            .payload = hex("00ff"),
                            .qos = Qos::at_least_once,
                            .retain = true,
                            .duplicate = true,
                            .packet_id = 10};
    EXPECT_EQ(mqtt::encode(a_publish), hex("3b 09 0003 612f62 000a 00ff"));
    EXPECT_EQ(mqtt::encode(mqtt::Subscribe{10, {{"a/b", Qos::at_least_once}, {"c/d", Qos::exactly_once}}}),
              hex("82 0e 000a 0003 612f62 01 0003 632f64 02"));
    EXPECT_EQ(mqtt::encode(mqtt::Suback{10, {0, 0x80}}), hex("90 04 000a 0080"));
    EXPECT_EQ(mqtt::encode(mqtt::Unsubscribe{10, {"a/b"}}), hex("a2 07 000a 0003 612f62"));
    EXPECT_EQ(mqtt::encode(mqtt::Unsuback{10}), hex("b002 000a"));
    EXPECT_EQ(mqtt::encode(mqtt::Puback{258}), hex("4002 0102"));
    EXPECT_EQ(mqtt::encode(mqtt::QosTwoStep{6, 1}), hex("6202 0001"));
    EXPECT_EQ(mqtt::encode(mqtt::Connack{.session_present = true}), hex("2002 0100"));
    EXPECT_EQ(mqtt::encode(mqtt::Pingreq{}), hex("c000"));
    EXPECT_EQ(mqtt::encode(mqtt::Pingresp{}), hex("d000"));
    EXPECT_EQ(mqtt::encode(mqtt::Disconnect{}), hex("e000"));
}

struct LengthCase {
    std::size_t payload;
    std::string_view header;
};

TEST(Packet, WritesRemainingLengthsAtTheirBounds) {
    constexpr std::size_t topic = 3;  // length and one letter
    for (const auto& [remaining, header] : std::initializer_list<LengthCase>{{127, "307f"},
                                                                             {128, "308001"},
                                                                             {16'383, "30ff7f"},
                                                                             {16'384, "30808001"},
                                                                             {262'144, "30808010"}}) {
        const auto bytes =
            mqtt::encode(mqtt::Publish{.topic = "t", .payload = base::Bytes(remaining - topic)});
        const auto head = hex(header);
        EXPECT_TRUE(std::equal(head.begin(), head.end(), bytes.begin())) << header;
        EXPECT_EQ(bytes.size(), head.size() + remaining);
        EXPECT_EQ(std::get<mqtt::Publish>(decode_whole(bytes)).payload.size(), remaining - topic);
    }
}

TEST(Packet, AsksForMoreBytesAtEveryCutOfAValidPacket) {
    const auto bytes = hex("82 0e 000a 0003 612f62 01 0003 632f64 02");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto decoded = mqtt::decode(std::span(bytes).first(size));
        ASSERT_TRUE(decoded) << decoded.error().text();
        EXPECT_FALSE(*decoded) << size;
    }
}

TEST(Packet, LeavesWhatFollowsAPacketToTheNextCall) {
    const auto decoded = mqtt::decode(hex("c000 d000"));
    ASSERT_TRUE(decoded && *decoded);
    EXPECT_EQ((*decoded)->consumed, 2U);
    EXPECT_EQ(mqtt::name((*decoded)->packet), "PINGREQ");
}

TEST(Packet, KnowsTheSizeFromTheFixedHeaderAndRefusesTooMuchEarly) {
    EXPECT_EQ(mqtt::packet_size(hex("30"))->has_value(), false);
    EXPECT_EQ(mqtt::packet_size(hex("3080"))->has_value(), false);
    EXPECT_EQ(mqtt::packet_size(hex("30800a")).value(), 1283U);
    const auto huge = mqtt::packet_size(hex("30ffffff7f"));
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().code, base::Code::too_large);
    EXPECT_EQ(huge.error().thing, "PUBLISH");
    const auto first = mqtt::packet_size(hex("10808002"), mqtt::limits::first_packet);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, base::Code::too_large);
}

TEST(Packet, ReadsOtherLevelsAsFarAsTheLevel) {
    const auto five = decode_whole(hex("10 0d 0004 4d515454 05 02 003c 00 0000"));
    EXPECT_EQ(std::get<mqtt::Connect>(five).level, 5);
    const auto old = decode_whole(hex("10 0e 0006 4d5149736470 03 02 0000 0000"));
    EXPECT_EQ(std::get<mqtt::Connect>(old).protocol, "MQIsdp");
    EXPECT_EQ(std::get<mqtt::Connect>(old).level, 3);
    const auto bridge = decode_whole(hex("10 0c 0004 4d515454 84 02 0000 0000"));
    EXPECT_EQ(std::get<mqtt::Connect>(bridge).level, 0x84);
}

// One line a case; fuzz/make_mqtt_corpus.py makes the fuzzer's files from the same list.
struct Malformed {
    std::string name, hex, expected;
};

std::vector<Malformed> malformed_packets() {
    std::ifstream file(std::filesystem::path(TEST_DATA) / "malformed_packets.txt");
    std::vector<Malformed> cases;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.starts_with('#')) continue;
        const auto fields = base::split(line, '|');
        if (fields.size() != 3) throw std::runtime_error("bad line: " + line);
        cases.push_back({std::string(base::trim(fields[0])), std::string(base::trim(fields[1])),
                         std::string(base::trim(fields[2]))});
    }
    return cases;
}

TEST(Packet, RefusesEveryMalformedPacketByPacketFieldAndSection) {
    const auto cases = malformed_packets();
    EXPECT_GE(cases.size(), 60U);
    std::set<std::string> names;
    for (const auto& one : cases) {
        EXPECT_TRUE(names.insert(one.name).second) << one.name << " stands twice";
        const auto decoded = mqtt::decode(hex(one.hex));
        ASSERT_FALSE(decoded) << one.name;
        EXPECT_EQ(decoded.error().text(), one.expected) << one.name;
    }
}

struct TopicCase {
    std::string_view filter, topic;
    bool matches;
};

TEST(Topic, MatchesByTheTableOfTheStandard) {
    for (const auto& [filter, topic, expected] : std::initializer_list<TopicCase>{
             {"sport/tennis/player1/#", "sport/tennis/player1", true},
             {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
             {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
             {"sport/tennis/player1/#", "sport/tennis/player10", false},
             {"sport/#", "sport", true},
             {"#", "sport/tennis", true},
             {"#", "/", true},
             {"sport/tennis/+", "sport/tennis/player1", true},
             {"sport/tennis/+", "sport/tennis/player1/ranking", false},
             {"sport/+", "sport", false},
             {"sport/+", "sport/", true},
             {"+/+", "/finance", true},
             {"/+", "/finance", true},
             {"+", "/finance", false},
             {"+/tennis/#", "sport/tennis", true},
             {"#", "$SYS/uptime", false},
             {"+/uptime", "$SYS/uptime", false},
             {"$SYS/#", "$SYS/uptime", true},
             {"$iothub/methods/POST/#", "$iothub/methods/POST/reboot/?$rid=1", true},
             {"a", "a/", false},
             {"a/", "a", false},
             {"a/b/#", "a", false},
             {"Accounts", "ACCOUNTS", false}}) {
        EXPECT_EQ(mqtt::matches(filter, topic), expected) << filter << " and " << topic;
        EXPECT_TRUE(mqtt::is_valid_filter(filter)) << filter;
        EXPECT_TRUE(mqtt::is_valid_topic(topic)) << topic;
    }
}

TEST(Topic, RefusesMisplacedWildcardsAndImpossibleTexts) {
    for (const auto filter :
         {"", "sport/tennis#", "sport/tennis/#/ranking", "sport+", "+sport", "a/+b", "a/b+/c", "#/a", "##"})
        EXPECT_FALSE(mqtt::is_valid_filter(filter)) << filter;
    for (const auto filter : {"+", "#", "+/+", "/", "a//b", "+/tennis/#", "sport/+/player1"})
        EXPECT_TRUE(mqtt::is_valid_filter(filter)) << filter;
    for (const auto topic : {"", "a/#", "+", "a/b+"}) EXPECT_FALSE(mqtt::is_valid_topic(topic)) << topic;
    EXPECT_FALSE(mqtt::is_valid_topic(std::string_view("a\0b", 3)));
    EXPECT_FALSE(mqtt::is_valid_topic("\xed\xa0\x80"));
    EXPECT_TRUE(mqtt::is_valid_topic(std::string(65'535, 'a')));
    EXPECT_FALSE(mqtt::is_valid_topic(std::string(65'536, 'a')));
}

namespace generate {

std::string text(std::string_view letters, std::size_t least) {
    const auto size = *rc::gen::inRange<std::size_t>(least, 40);
    std::string made;
    for (std::size_t i = 0; i < size; ++i) made += letters[*rc::gen::inRange<std::size_t>(0, letters.size())];
    return made;
}
std::string topic() {
    return text("abc/$%&= ", 1);
}
std::string filter() {
    return *rc::gen::element<std::string>("#", "+", "a/+/b", "a/#");
}
base::Bytes bytes() {
    base::Bytes made;
    for (const auto value : *rc::gen::arbitrary<std::vector<std::uint8_t>>())
        made.push_back(static_cast<std::byte>(value));
    return made;
}
std::uint16_t id() {
    return *rc::gen::inRange<std::uint16_t>(1, 65'535);
}
bool boolean() {
    return *rc::gen::arbitrary<bool>();
}
Qos qos() {
    return static_cast<Qos>(*rc::gen::inRange(0, 3));
}

mqtt::Packet a_connect() {
    mqtt::Connect made;
    made.client_id = text("abc$", 0);
    made.clean_session = boolean();
    made.keep_alive = *rc::gen::arbitrary<std::uint16_t>();
    if (boolean()) made.will = mqtt::Will{topic(), bytes(), qos(), boolean()};
    if (boolean()) made.user_name = text("ab/?=", 0);
    if (made.user_name && boolean()) made.password = std::string(base::as_text(bytes()));
    return made;
}
mqtt::Packet a_publish() {
    mqtt::Publish made{.topic = topic(), .payload = bytes(), .qos = qos(), .retain = boolean()};
    if (made.qos != Qos::at_most_once) {
        made.packet_id = id();
        made.duplicate = boolean();
    }
    return made;
}
mqtt::Packet packet() {
    switch (*rc::gen::inRange(0, 12)) {
        case 0:
            return a_connect();
        case 1:
            return mqtt::Connack{.session_present = boolean()};
        case 2:
            return a_publish();
        case 3:
            return mqtt::Puback{id()};
        case 4:
            return mqtt::QosTwoStep{*rc::gen::inRange<std::uint8_t>(5, 8), id()};
        case 5:
            return mqtt::Subscribe{id(), {{filter(), qos()}, {topic(), qos()}}};
        case 6:
            return mqtt::Suback{id(), {0, 0x80, 1}};
        case 7:
            return mqtt::Unsubscribe{id(), {filter(), topic()}};
        case 8:
            return mqtt::Unsuback{id()};
        case 9:
            return mqtt::Pingreq{};
        case 10:
            return mqtt::Pingresp{};
        default:
            return mqtt::Disconnect{};
    }
}

}  // namespace generate

RC_GTEST_PROP(Packet, ComesBackAsItWasWritten, ()) {
    const auto packet = generate::packet();
    const auto bytes = mqtt::encode(packet);
    const auto decoded = mqtt::decode(bytes);
    if (!decoded) RC_FAIL(decoded.error().text());
    RC_ASSERT(decoded->has_value());
    RC_ASSERT((*decoded)->consumed == bytes.size());
    RC_ASSERT((*decoded)->packet.index() == packet.index());
    RC_ASSERT(mqtt::encode((*decoded)->packet) == bytes);
}

RC_GTEST_PROP(Packet, NeverReadsPastAPacketThatIsOneByteShort, ()) {
    auto bytes = mqtt::encode(generate::packet());
    RC_PRE(bytes.size() > 2 && bytes[1] > std::byte{0} && bytes[1] < std::byte{0x80});
    // The header claims one byte less: the body is cut inside, or (free-form ends) legally shorter.
    bytes[1] = static_cast<std::byte>(std::to_integer<unsigned>(bytes[1]) - 1);
    bytes.pop_back();
    const auto decoded = mqtt::decode(bytes);
    if (decoded && *decoded) RC_ASSERT(mqtt::encode((*decoded)->packet) == bytes);
}

}  // namespace
