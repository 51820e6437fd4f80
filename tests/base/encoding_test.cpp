// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.hpp"

#include <gtest/gtest.h>
// gtest.h first: rapidcheck's adapter needs it.
#include <rapidcheck.h>

#include <algorithm>
#include <string>

namespace {

base::Bytes bytes(std::string_view text) {
    const auto span = base::as_bytes(text);
    return {span.begin(), span.end()};
}

base::Bytes arbitrary_bytes() {
    const auto raw = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    base::Bytes all;
    for (const auto one : raw) all.push_back(std::byte{one});
    return all;
}

#define PROPERTY(what, ...) EXPECT_TRUE(rc::check(what, __VA_ARGS__))

TEST(Hex, GivesBackWhatItTook) {
    PROPERTY("either case", [] {
        const auto data = arbitrary_bytes();
        RC_ASSERT(base::from_hex(base::to_hex(data)) == data);
        RC_ASSERT(base::from_hex(base::to_hex_upper(data)) == data);
    });
}

TEST(Hex, RefusesOddLengthAndOtherCharacters) {
    EXPECT_EQ(base::from_hex("DEadbeef"),
              (base::Bytes{std::byte{0xde}, std::byte{0xad}, std::byte{0xbe}, std::byte{0xef}}));
    EXPECT_EQ(base::from_hex(""), base::Bytes{});
    for (const auto* text : {"a", "0g", "0x00", " 00", "00 ", "-1", "0:0"})
        EXPECT_FALSE(base::from_hex(text)) << text;
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : vectors) {
        EXPECT_EQ(base::to_base64(bytes(plain)), coded);
        EXPECT_EQ(base::from_base64(coded), bytes(plain));
    }
}

TEST(Base64, GivesBackWhatItTook) {
    PROPERTY("any bytes", [] {
        const auto data = arbitrary_bytes();
        RC_ASSERT(base::from_base64(base::to_base64(data)) == data);
    });
}

TEST(Base64, EveryTextThatIsAcceptedIsTheOnlyOneForItsBytes) {
    PROPERTY("canonical", [] {
        const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ABab01+/==")));
        if (const auto data = base::from_base64(text)) RC_ASSERT(base::to_base64(*data) == text);
    });
}

TEST(Base64, RefusesWhatIsNotCanonical) {
    for (const auto* text :
         {"Zg", "Zg=", "Zh==", "Zm9=", "=", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm-_", "Zg=a"})
        EXPECT_FALSE(base::from_base64(text)) << text;
}

TEST(Percent, GivesBackWhatItTook) {
    PROPERTY("any text", [] {
        const auto text = *rc::gen::string<std::string>();
        const auto coded = base::percent_encode(text);
        RC_ASSERT(base::percent_decode(coded) == text);
        RC_ASSERT(
            std::ranges::all_of(coded, [](char c) { return c > ' ' && c <= '~' && c != '/' && c != '+'; }));
    });
}

TEST(Percent, KeepsAPlusAndRefusesHalfASequence) {
    EXPECT_EQ(base::percent_decode("a+b%2fc%2F"), "a+b/c/");
    EXPECT_EQ(base::percent_encode("a b/~"), "a%20b%2F~");
    for (const auto* text : {"%", "%4", "%4g", "a%", "%%41"})
        EXPECT_FALSE(base::percent_decode(text)) << text;
}

TEST(Text, TrimsAndSplits) {
    EXPECT_EQ(base::trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(base::trim(" "), "");
    EXPECT_EQ(base::split("a;b;;c", ';'), (std::vector<std::string_view>{"a", "b", "", "c"}));
    EXPECT_EQ(base::split("", ';'), std::vector<std::string_view>{""});
    EXPECT_EQ(base::split(";", ';'), (std::vector<std::string_view>{"", ""}));
}

TEST(Text, ChangesTheCaseOfAsciiAlone) {
    EXPECT_EQ(base::to_lower("EdgeGATEWAY-\xc3\x84"), "edgegateway-\xc3\x84");
    EXPECT_EQ(base::to_upper("ab\xc3\xa4"), "AB\xc3\xa4");
    EXPECT_TRUE(base::equal_ignoring_case("ContosoIotHub", "contosoiothub"));
    EXPECT_FALSE(base::equal_ignoring_case("a", "ab"));
    EXPECT_FALSE(base::equal_ignoring_case("[", "{"));
}

TEST(Utf8, AcceptsTheFirstAndLastOfEachLength) {
    for (const std::string_view text :
         {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
          "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(base::is_utf8(text)) << base::to_hex(base::as_bytes(text));
}

TEST(Utf8, RefusesOverlongSurrogatesTruncatedAndTooLarge) {
    for (const std::string_view text :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98",
          "a\xe2\x82z", "\xc3\x28"})
        EXPECT_FALSE(base::is_utf8(text)) << base::to_hex(base::as_bytes(text));
}

TEST(Nearest, FindsTheSlipAndNotTheStranger) {
    const std::vector<std::string> known{"hostname", "trust_bundle_cert", "provisioning"};
    EXPECT_EQ(base::nearest("hostnam", known), "hostname");
    EXPECT_EQ(base::nearest("trust_bundel_cert", known), "trust_bundle_cert");
    EXPECT_EQ(base::nearest("zzzz", known), "");
    EXPECT_EQ(base::nearest("x", std::vector<std::string>{}), "");
}

}  // namespace
