// SPDX-License-Identifier: Apache-2.0
#include "http/websocket.hpp"

#include <gmock/gmock.h>

#include "base/encoding.hpp"

namespace http_tests {
namespace {

using testing::HasSubstr;

http::Request opening() {
    http::Request request;
    request.raw_target = "/$iothub/websocket";
    request.headers.add("Host", "contosoiothub.local");
    request.headers.add("Upgrade", "websocket");
    request.headers.add("Connection", "Upgrade");
    request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    request.headers.add("Sec-WebSocket-Version", "13");
    request.headers.add("Sec-WebSocket-Protocol", "mqtt");
    return request;
}

/// The key and its answer are those of RFC 6455 section 1.3.
TEST(WebSocketOpening, IsAnsweredWithTheKeyOfTheStandard) {
    const auto answer = http::accept_websocket(opening(), "mqtt");
    ASSERT_TRUE(answer) << answer.error().reason;
    EXPECT_EQ(answer->status, 101);
    EXPECT_EQ(answer->headers.get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(answer->headers.get("Upgrade"), "websocket");
    EXPECT_EQ(answer->headers.get("Sec-WebSocket-Protocol"), "mqtt");
    EXPECT_FALSE(answer->headers.get("Sec-WebSocket-Extensions"));
}

struct OpeningCase {
    std::string_view name;
    std::string_view header;  ///< the one that differs
    std::string_view value;
    int status;
    std::string_view chosen_or_reason;
};

class WebSocketOpenings : public testing::TestWithParam<OpeningCase> {};

TEST_P(WebSocketOpenings, AreAcceptedOrRefusedWithAReason) {
    auto request = opening();
    request.headers.set(GetParam().header, std::string(GetParam().value));
    const auto answer = http::accept_websocket(request, "mqtt");
    if (GetParam().status == 101) {
        ASSERT_TRUE(answer) << answer.error().reason;
        EXPECT_EQ(answer->headers.get("Sec-WebSocket-Protocol"), GetParam().chosen_or_reason);
    } else {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().status, GetParam().status);
        EXPECT_THAT(answer.error().reason, HasSubstr(std::string(GetParam().chosen_or_reason)));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, WebSocketOpenings,
    testing::Values(
        OpeningCase{"EchoesTheProtocolAsOffered", "Sec-WebSocket-Protocol", "MQTT", 101, "MQTT"},
        OpeningCase{"ChoosesAmongSeveral", "Sec-WebSocket-Protocol", "AMQPWSB10, Mqtt,x", 101, "Mqtt"},
        OpeningCase{"ConnectionIsAList", "Connection", "keep-alive, upgrade", 101, "mqtt"},
        OpeningCase{"UpgradeInAnyCase", "Upgrade", "WebSocket", 101, "mqtt"},
        OpeningCase{"ExtensionsAreDeclined", "Sec-WebSocket-Extensions", "permessage-deflate", 101, "mqtt"},
        OpeningCase{"Amqp", "Sec-WebSocket-Protocol", "AMQPWSB10", 400, "not AMQPWSB10"},
        OpeningCase{"NoProtocol", "Sec-WebSocket-Protocol", "", 400, "none was offered"},
        OpeningCase{"LongerProtocol", "Sec-WebSocket-Protocol", "mqttv5", 400, "mqttv5"},
        OpeningCase{"OtherUpgrade", "Upgrade", "h2c", 400, "WebSocket"},
        OpeningCase{"NotUpgrading", "Connection", "keep-alive", 400, "WebSocket"},
        OpeningCase{"Version8", "Sec-WebSocket-Version", "8", 426, "13"},
        OpeningCase{"NoKey", "Sec-WebSocket-Key", "", 400, "Sec-WebSocket-Key"},
        OpeningCase{"ShortKey", "Sec-WebSocket-Key", "c2hvcnQ=", 400, "Sec-WebSocket-Key"},
        OpeningCase{"KeyIsNoBase64", "Sec-WebSocket-Key", "************************", 400,
                    "Sec-WebSocket-Key"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST(WebSocketOpening, RefusesAnotherVerb) {
    auto request = opening();
    request.verb = http::Verb::post;
    const auto answer = http::accept_websocket(request, "mqtt");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().status, 405);
}

base::Bytes hex(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c != ' ') digits += c;
    }
    return base::from_hex(digits).value();
}

struct Read {
    std::string carried;
    std::string answer;  ///< hex
    std::optional<base::Error> error;
};

Read read(const base::Bytes& bytes, std::size_t piece) {
    http::WebSocketFraming framing;
    base::Bytes carried;
    base::Bytes answer;
    Read result;
    for (std::span<const std::byte> rest = bytes; !rest.empty() && !result.error;) {
        const auto part = rest.first(std::min(piece, rest.size()));
        rest = rest.subspan(part.size());
        if (auto fine = framing.unwrap(part, carried, answer); !fine) result.error = fine.error();
    }
    result.carried = base::as_text(carried);
    result.answer = base::to_hex(answer);
    return result;
}

struct FrameCase {
    std::string_view name;
    std::string_view bytes;    ///< hex, masked with 00000000 where the bytes of the payload shall be seen
    std::string_view carried;  ///< as text
    std::string_view answer;   ///< hex
    std::string_view why{};    ///< part of the error; empty: none
};

class WebSocketFrames : public testing::TestWithParam<FrameCase> {};

TEST_P(WebSocketFrames, MeanTheSameHoweverTheyAreCut) {
    const auto bytes = hex(GetParam().bytes);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        const auto seen = read(bytes, piece);
        EXPECT_EQ(seen.carried, GetParam().carried) << "in pieces of " << piece;
        EXPECT_EQ(seen.answer, GetParam().answer) << "in pieces of " << piece;
        EXPECT_EQ(seen.error.has_value(), !GetParam().why.empty());
        if (seen.error) {
            EXPECT_THAT(seen.error->text(), HasSubstr(std::string(GetParam().why)));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Valid, WebSocketFrames,
    testing::Values(
        // The masked "Hello" of RFC 6455 section 5.7, as binary.
        FrameCase{"Masked", "8285 37fa213d 7f9f4d5158", "Hello", ""},
        FrameCase{"Two", "8281 00000000 61 8282 00000000 6263", "abc", ""},
        FrameCase{"Fragments", "0281 00000000 61 0081 00000000 62 8081 00000000 63", "abc", ""},
        FrameCase{"EmptyFragments", "0280 00000000 0080 00000000 8081 00000000 63", "c", ""},
        FrameCase{"EmptyMessage", "8280 00000000 8281 00000000 61", "a", ""},
        FrameCase{"PingWithin", "0281 00000000 61 8982 00000000 7071 8081 00000000 62", "ab", "8a027071"},
        FrameCase{"EmptyPing", "8980 00000000", "", "8a00"}, FrameCase{"Pong", "8a81 00000000 78", "", ""},
        FrameCase{"MessageAfterMessage", "0281 00000000 61 8080 00000000 8281 00000000 62", "ab", ""}),
    [](const auto& of) { return std::string(of.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Closing, WebSocketFrames,
    testing::Values(FrameCase{"Bare", "8880 00000000", "", "8800", "was closed by the peer"},
                    FrameCase{"Normal", "8882 00000000 03e8", "", "880203e8", "with 1000"},
                    FrameCase{"WithReason", "8885 00000000 03e9 627965", "", "880203e9", "with 1001: bye"},
                    FrameCase{"OfAnApplication", "8882 00000000 0bb8", "", "88020bb8", "with 3000"},
                    FrameCase{"NothingCountsBehindIt", "8880 00000000 8281 00000000 61", "", "8800",
                              "closed"}),
    [](const auto& of) { return std::string(of.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Malformed, WebSocketFrames,
    testing::Values(
        FrameCase{"Unmasked", "8201 61", "", "880203ea", "not masked"},
        FrameCase{"Text", "8181 00000000 61", "", "880203eb", "text"},
        FrameCase{"ReservedBit", "c281 00000000 61", "", "880203ea", "reserved bit"},
        FrameCase{"UnknownOpcode", "8381 00000000 61", "", "880203ea", "opcode 3"},
        FrameCase{"UnknownControl", "8b80 00000000", "", "880203ea", "opcode 11"},
        FrameCase{"ContinuationOfNothing", "8081 00000000 61", "", "880203ea", "not begun"},
        FrameCase{"MessageWithinAMessage", "0281 00000000 61 8281 00000000 62", "a", "880203ea", "within"},
        FrameCase{"SplitPing", "0980 00000000", "", "880203ea", "split"},
        FrameCase{"LongPing", "89fe 007e 00000000", "", "880203ea", "125"},
        FrameCase{"LongForm16", "82fe 007d 00000000", "", "880203ea", "longer form"},
        FrameCase{"LongForm64", "82ff 000000000000ffff 00000000", "", "880203ea", "longer form"},
        FrameCase{"NegativeLength", "82ff 8000000000000000 00000000", "", "880203ea", "63 bits"},
        FrameCase{"CloseOfOneByte", "8881 00000000 03", "", "880203ea", "may not be sent"},
        FrameCase{"CloseWithAReservedCode", "8882 00000000 03ed", "", "880203ea", "may not be sent"},
        FrameCase{"CloseWithANumberOfNobody", "8882 00000000 03e7", "", "880203ea", "may not be sent"},
        FrameCase{"CloseReasonIsNoUtf8", "8883 00000000 03e8 ff", "", "880203ef", "UTF-8"},
        FrameCase{"WhatCameBeforeIsKept", "8281 00000000 61 8101", "a", "880203ea", "not masked"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST(WebSocketFraming, UnmasksFramesOfEveryLengthForm) {
    for (const std::size_t size : {125U, 126U, 65'535U, 65'536U, 100'000U}) {
        base::Bytes frame{std::byte{0x82}};
        if (size < 126) {
            frame.push_back(std::byte(0x80U | size));
        } else {
            const int octets = size <= 0xFFFF ? 2 : 8;
            frame.push_back(std::byte(octets == 2 ? 0xFE : 0xFF));
            for (int i = octets - 1; i >= 0; --i)
                frame.push_back(std::byte(size >> (8U * static_cast<unsigned>(i))));
        }
        const auto mask = hex("01020304");
        frame.insert(frame.end(), mask.begin(), mask.end());
        std::string expected;
        for (std::size_t i = 0; i < size; ++i) {
            expected += static_cast<char>('a' + i % 23);
            frame.push_back(std::byte(expected.back()) ^ mask[i % 4]);
        }
        for (const std::size_t piece : {frame.size(), std::size_t{7}}) {
            const auto seen = read(frame, piece);
            EXPECT_FALSE(seen.error);
            EXPECT_TRUE(seen.carried == expected) << size << " bytes in pieces of " << piece;
        }
    }
}

TEST(WebSocketFraming, WrapsInTheShortestForm) {
    const std::vector<std::pair<std::size_t, std::string>> cases{
        {0, "8200"},       {1, "8201"},          {125, "827d"},
        {126, "827e007e"}, {65'535, "827effff"}, {65'536, "827f0000000000010000"},
    };
    for (const auto& [size, head] : cases) {
        http::WebSocketFraming framing;
        base::Bytes wire;
        framing.wrap(base::Bytes(size, std::byte{'x'}), wire);
        EXPECT_EQ(base::to_hex(std::span(wire).first(head.size() / 2)), head);
        EXPECT_EQ(wire.size(), head.size() / 2 + size);
    }
}

TEST(WebSocketFraming, SaysTheLastWordOnce) {
    http::WebSocketFraming framing;
    base::Bytes wire;
    framing.end(wire);
    EXPECT_EQ(base::to_hex(wire), "880203e8");
    framing.end(wire);
    framing.wrap(base::as_bytes("x"), wire);
    EXPECT_EQ(base::to_hex(wire), "880203e8") << "nothing may follow a Close";
}

}  // namespace
}  // namespace http_tests
