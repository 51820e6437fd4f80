// SPDX-License-Identifier: Apache-2.0
#include "azure/twin.hpp"

#include <gtest/gtest.h>

#include "azure/errors.hpp"
#include "azure/json_text.hpp"

namespace {

namespace json = boost::json;
using azure::TwinWrite;

constexpr azure::Moment created{std::chrono::milliseconds(1795600000123)};  // 2026-11-25T09:46:40.123Z
constexpr azure::Moment later = created + std::chrono::milliseconds(1877);

json::object object(std::string_view text) {
    return json::parse(text).as_object();
}

azure::TwinWish wish(std::string_view text) {
    auto parsed = azure::parse_twin(text);
    if (!parsed) throw std::runtime_error(parsed.error().text());
    return *std::move(parsed);
}

std::string nested(int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += R"({"a":)";
    return text + "1" + std::string(static_cast<std::size_t>(levels), '}');
}

TEST(JsonText, WritesNumbersAsPeopleDo) {
    for (const auto* text : {"20.5", "0.3", "-0.1", "1.0", "1e+100", "3.141592653589793", "4503599627370496",
                             "[1,[],{},[[2]]]", R"({"a":{"b":[{}]},"c":"\"\u0001é"})", "true", "null"})
        EXPECT_EQ(azure::json_text(azure::parse_json(text).value()), text);
}

TEST(JsonText, ReadsAndWritesNumbersToTheLastBit) {
    for (const auto* text : {"0.30000000000000004", "1.7976931348623157e+308", "5e-324", "123456789.01234567",
                             "2.2250738585072014e-308", "-9.313225746154785e-10"})
        EXPECT_EQ(azure::json_text(azure::parse_json(text).value()), text);
    EXPECT_EQ(azure::json_text(azure::parse_json("1e-400").value()), "0.0");
    EXPECT_FALSE(azure::parse_json("1e400"));
    EXPECT_FALSE(azure::parse_json("[-1e999]"));
    EXPECT_EQ(azure::json_text(azure::parse_json(R"( {"a" : [ 1.50 , -0.0 ], "b":"\u00e9" } )").value()),
              R"({"a":[1.5,-0.0],"b":"é"})");
}

TEST(JsonText, ReadsNoDeeperThanAllowed) {
    EXPECT_TRUE(azure::parse_json("[[1]]", 2));
    EXPECT_FALSE(azure::parse_json("[[[1]]]", 2));
    EXPECT_FALSE(azure::parse_json("[[1]] x", 2));
    EXPECT_FALSE(azure::parse_json("[[1]", 2));
    EXPECT_FALSE(azure::parse_json("", 2));
}

TEST(Twin, OfANewIdentityIsThatOfTheService) {
    azure::Device device;
    device.record.identity.device = "TempSensor";
    device.record.authentication.type = trust::AuthType::sas;
    device.record.device_scope = "ms-azure-iot-edge://EdgeGateway-1";
    device.record.parent_scopes = {"ms-azure-iot-edge://EdgeGateway-1"};
    device.etag = "MTIz";
    const auto twin = azure::make_twin("639001234567890123", created);
    EXPECT_EQ(
        azure::to_json(twin, device),
        R"({"deviceId":"TempSensor","etag":"AAAAAAAAAAE=","deviceEtag":"MTIz","status":"enabled",)"
        R"("statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"Disconnected",)"
        R"("lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authenticationType":"sas",)"
        R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"modelId":"","version":2,)"
        R"("tags":{},"properties":{"desired":{"$metadata":{"$lastUpdated":"2026-11-25T09:46:40.1230000Z"},)"
        R"("$version":1},"reported":{"$metadata":{"$lastUpdated":"2026-11-25T09:46:40.1230000Z"},"$version":1}},)"
        R"("capabilities":{"iotEdge":false},"deviceScope":"ms-azure-iot-edge://EdgeGateway-1",)"
        R"("parentScopes":["ms-azure-iot-edge://EdgeGateway-1"]})");
    EXPECT_EQ(azure::device_twin_json(twin), R"({"desired":{"$version":1},"reported":{"$version":1}})");
}

TEST(Twin, OfAModuleNamesItBehindItsDevice) {
    azure::Module module;
    module.record.identity = {"EdgeGateway", "mod1"};
    module.etag = "MTIz";
    const auto text = azure::to_json(azure::make_twin("1", created), module);
    EXPECT_TRUE(text.starts_with(R"({"deviceId":"EdgeGateway","moduleId":"mod1","etag":"AAAAAAAAAAE=",)"));
    EXPECT_EQ(text.find("capabilities"), text.npos);
}

struct Patch {
    std::string_view name, before, patch, after;
};
// The cases of RFC 7396 appendix A that have an object on both sides, and ours.
constexpr Patch patches[] = {
    {"ReplacesAValue", R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
    {"AddsAMember", R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
    {"DeletesTheLastMember", R"({"a":"b"})", R"({"a":null})", R"({})"},
    {"KeepsTheOrderOfTheOthers", R"({"a":"b","b":"c","c":"d"})", R"({"a":null})", R"({"b":"c","c":"d"})"},
    {"ReplacesAnArrayWhole", R"({"a":["b"]})", R"({"a":["c"]})", R"({"a":["c"]})"},
    {"ReplacesAnArrayByAText", R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
    {"GoesDown", R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
    {"ReplacesATextByAnObject", R"({"a":"foo"})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
    {"LeavesNoNullInWhatIsNew", R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    {"KeepsTheMemberBeside", R"({"e":1})", R"({"a":1})", R"({"e":1,"a":1})"},
};
class MergePatch : public testing::TestWithParam<Patch> {};

TEST_P(MergePatch, GivesTheSameInEverySection) {
    const auto& [name, before, patch, after] = GetParam();
    auto twin = azure::make_twin("1", created);
    const auto body = [](std::string_view section) {
        return wish(R"({"tags":)" + std::string(section) + R"(,"properties":{"desired":)" +
                    std::string(section) + "}}");
    };
    ASSERT_TRUE(azure::write_twin(twin, body(before), TwinWrite::replace, created));
    ASSERT_TRUE(azure::write_reported(twin, object(before), created).has_value());
    ASSERT_TRUE(azure::write_twin(twin, body(patch), TwinWrite::patch, later));
    ASSERT_TRUE(azure::write_reported(twin, object(patch), later).has_value());
    EXPECT_EQ(azure::json_text(twin.tags), after);
    EXPECT_EQ(azure::json_text(twin.desired.values), after);
    EXPECT_EQ(azure::json_text(twin.reported.values), after);
}
INSTANTIATE_TEST_SUITE_P(Rfc7396, MergePatch, testing::ValuesIn(patches),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(TwinWrites, CountTheirVersionsAndStampWhatTheyTouch) {
    auto twin = azure::make_twin("1", created);
    const auto first =
        azure::write_twin(twin, wish(R"({"properties":{"desired":{"a":{"b":1,"c":[1,{"d":2}]},"e":true}}})"),
                          TwinWrite::patch, created);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->desired);
    EXPECT_FALSE(first->tags);
    ASSERT_TRUE(azure::write_twin(twin, wish(R"({"properties":{"desired":{"a":{"b":2}}}})"), TwinWrite::patch,
                                  later));
    EXPECT_EQ(azure::json_text(twin.desired.metadata),
              R"({"$lastUpdated":"2026-11-25T09:46:42.0000000Z","$lastUpdatedVersion":3,)"
              R"("a":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z","$lastUpdatedVersion":3,)"
              R"("b":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z","$lastUpdatedVersion":3},)"
              R"("c":{"$lastUpdated":"2026-11-25T09:46:40.1230000Z","$lastUpdatedVersion":2}},)"
              R"("e":{"$lastUpdated":"2026-11-25T09:46:40.1230000Z","$lastUpdatedVersion":2}})");
    EXPECT_EQ(twin.desired.version, 3);
    EXPECT_EQ(twin.version, 4);
    EXPECT_EQ(twin.etag(), "AAAAAAAAAAM=");

    ASSERT_TRUE(azure::write_reported(twin, object(R"({"x":1.5})"), later).value());
    EXPECT_EQ(
        azure::json_text(twin.reported.metadata),
        R"({"$lastUpdated":"2026-11-25T09:46:42.0000000Z","x":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z"}})");
    EXPECT_EQ(twin.reported.version, 2);
    EXPECT_EQ(twin.version, 4);
    EXPECT_EQ(twin.etag(), "AAAAAAAAAAM=");
    EXPECT_EQ(
        azure::device_twin_json(twin),
        R"({"desired":{"a":{"b":2,"c":[1,{"d":2}]},"e":true,"$version":3},"reported":{"x":1.5,"$version":2}})");

    const auto tags = azure::write_twin(twin, wish(R"({"tags":{"place":"hall"}})"), TwinWrite::patch, later);
    EXPECT_TRUE(tags && tags->tags && !tags->desired);
    EXPECT_EQ(twin.desired.version, 3);
    EXPECT_EQ(twin.version, 5);
}

TEST(TwinWrites, ThatAreEmptyChangeNothing) {
    auto twin = azure::make_twin("1", created);
    const auto before = twin;
    for (const auto* body :
         {"{}", R"({"tags":null})", R"({"tags":{},"properties":{"desired":{},"reported":{"a":1}}})"})
        EXPECT_FALSE(azure::write_twin(twin, wish(body), TwinWrite::patch, later)->any()) << body;
    EXPECT_FALSE(azure::write_reported(twin, {}, later).value());
    EXPECT_EQ(twin, before);
}

TEST(TwinWrites, ReplaceTheSectionsThatAreGiven) {
    auto twin = azure::make_twin("1", created);
    ASSERT_TRUE(azure::write_twin(twin, wish(R"({"tags":{"a":1},"properties":{"desired":{"b":{"c":1}}}})"),
                                  TwinWrite::patch, created));
    ASSERT_TRUE(azure::write_twin(twin, wish(R"({"properties":{"desired":{"b":{"d":2,"e":null}}}})"),
                                  TwinWrite::replace, later));
    EXPECT_EQ(azure::json_text(twin.tags), R"({"a":1})");
    EXPECT_EQ(azure::json_text(twin.desired.values), R"({"b":{"d":2}})");
    EXPECT_EQ(azure::json_text(twin.desired.metadata.at("b").as_object()),
              R"({"$lastUpdated":"2026-11-25T09:46:42.0000000Z","$lastUpdatedVersion":3,)"
              R"("d":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z","$lastUpdatedVersion":3}})");
    ASSERT_TRUE(azure::write_twin(twin, wish(R"({"tags":{}})"), TwinWrite::replace, later)->tags);
    EXPECT_TRUE(twin.tags.empty());
}

TEST(TwinWrites, TakeBackADocumentThatWasRead) {
    auto twin = azure::make_twin("1", created);
    ASSERT_TRUE(
        azure::write_twin(twin, wish(R"({"properties":{"desired":{"a":1}}})"), TwinWrite::patch, created));
    azure::Device device;
    device.record.identity.device = "TempSensor";
    const auto shown = azure::to_json(twin, device);
    ASSERT_TRUE(azure::write_twin(twin, wish(shown), TwinWrite::replace, later));
    EXPECT_EQ(azure::json_text(twin.desired.values), R"({"a":1})");
    // By now the $version in it is an old one.
    const auto before = twin;
    const auto again = azure::write_twin(twin, wish(shown), TwinWrite::replace, later);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, base::Code::precondition_failed);
    EXPECT_EQ(azure::from(again.error().code), azure::ErrorCode::precondition_failed);
    EXPECT_EQ(twin, before);
}

struct Refusal {
    std::string name, values, thing;
};
std::vector<Refusal> refused_values() {
    const std::string path = "properties.desired";
    return {
        {"KeyWithDot", R"({"a.b":1})", path},
        {"KeyWithDollar", R"({"$a":1})", path},
        {"KeyWithBlank", R"({"a b":1})", path},
        {"KeyWithControl", R"({"a\u0007":1})", path},
        {"KeyWithC1Control", R"({"a\u0085":1})", path},
        {"KeyDeepDown", R"({"a":[{"b c":1}]})", path + ".a[0]"},
        {"KeyOfANull", R"({"a b":null})", path},
        {"KeyTooLong", R"({")" + std::string(1025, 'k') + R"(":1})", path},
        {"StringTooLong", R"({"a":")" + std::string(4097, 'v') + R"("})", path + ".a"},
        {"IntegerTooLarge", R"({"a":4503599627370497})", path + ".a"},
        {"IntegerTooSmall", R"({"a":[-4503599627370497]})", path + ".a[0]"},
        {"UnsignedTooLarge", R"({"a":18446744073709551615})", path + ".a"},
        {"TooDeep", R"({"a":)" + nested(11) + "}", path + ".a.a.a.a.a.a.a.a.a.a.a"},
        {"NullInAnArray", R"({"a":[null]})", path + ".a[0]"},
    };
}
class TwinRule : public testing::TestWithParam<Refusal> {};

TEST_P(TwinRule, RefusesAndNamesThePlace) {
    const auto& [name, values, thing] = GetParam();
    const auto parsed = azure::parse_twin(R"({"properties":{"desired":)" + values + "}}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(azure::from(parsed.error().code), azure::ErrorCode::argument_invalid);
    EXPECT_EQ(parsed.error().thing, thing);
    EXPECT_FALSE(azure::parse_twin(R"({"tags":)" + values + "}"));
    EXPECT_FALSE(azure::parse_reported(values));
}
INSTANTIATE_TEST_SUITE_P(Values, TwinRule, testing::ValuesIn(refused_values()),
                         [](const auto& one) { return one.param.name; });

TEST(TwinRule, AllowsWhatIsAtTheLimit) {
    for (const auto& values :
         {R"({")" + std::string(1024, 'k') + R"(":1})", R"({"a":")" + std::string(4096, 'v') + R"("})",
          std::string(R"({"a":[4503599627370496,-4503599627370496,1.5e300,true,"x"]})"),
          R"({"a":)" + nested(10) + "}", std::string(R"({"a":{"b":null},"é\u00a0":1})")}) {
        EXPECT_TRUE(azure::parse_reported(values)) << values.substr(0, 80);
    }
}

TEST(TwinRule, CallsABodyThatIsNoObjectMalformed) {
    for (const auto* body : {"", " ", "[]", "1", "null", R"({"a":1)", R"({"a":1}x)", "{\"a\":\"\xff\"}"}) {
        const auto twin = azure::parse_twin(body);
        ASSERT_FALSE(twin) << body;
        EXPECT_EQ(azure::from(twin.error().code), azure::ErrorCode::iot_hub_format_error) << body;
        EXPECT_FALSE(azure::parse_reported(body)) << body;
    }
    for (const auto* body : {R"({"tags":1})", R"({"properties":[]})", R"({"properties":{"desired":"x"}})",
                             R"({"properties":{"desired":{"$version":"1"}}})"}) {
        const auto twin = azure::parse_twin(body);
        ASSERT_FALSE(twin) << body;
        EXPECT_EQ(azure::from(twin.error().code), azure::ErrorCode::argument_invalid) << body;
    }
    EXPECT_FALSE(azure::parse_reported(nested(100'000)));
}

TEST(TwinSize, CountsAsTheServiceDoes) {
    // Keys 1 to 1 each; a string without its three control characters, of which one takes two octets.
    EXPECT_EQ(
        azure::twin_size(object(R"({"s":"a\u0007b\u0085é\u007f","n":1,"f":1.5,"b":true,"o":{"é":[1,"x"]}})")),
        1U + 4 + 1 + 8 + 1 + 8 + 1 + 4 + 1 + 2 + 9);
}

TEST(TwinSize, IsLimitedByWhatWouldBeTheResult) {
    auto twin = azure::make_twin("1", created);
    const auto text = [](char key, std::size_t octets) {
        return std::string("{\"") + key + R"(":")" + std::string(octets, 'v') + R"("})";
    };
    const auto tags = [&](char key, std::size_t octets) {
        return wish(R"({"tags":)" + text(key, octets) + "}");
    };
    ASSERT_TRUE(azure::write_twin(twin, tags('a', 4095), TwinWrite::patch, created));
    ASSERT_TRUE(azure::write_twin(twin, tags('b', 4095), TwinWrite::patch, created));
    const auto before = twin;
    const auto over = azure::write_twin(twin, tags('b', 4096), TwinWrite::patch, created);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().thing, "tags");
    EXPECT_EQ(azure::from(over.error().code), azure::ErrorCode::argument_invalid);
    EXPECT_EQ(twin, before);
    for (char key = 'a'; key < 'i'; ++key)
        ASSERT_TRUE(azure::write_reported(twin, object(text(key, 4095)), created)) << key;
    EXPECT_EQ(azure::twin_size(twin.reported.values), azure::largest_properties);
    EXPECT_FALSE(azure::write_reported(twin, object(R"({"x":1})"), created));
    EXPECT_TRUE(azure::write_reported(twin, object(R"({"x":1,"a":null})"), created));
}

TEST(TwinPatch, IsShownWithTheMetadataOfItsMembers) {
    auto twin = azure::make_twin("1", created);
    ASSERT_TRUE(azure::write_reported(twin, object(R"({"a":{"b":1,"c":2},"d":3})"), created));
    const auto patch = object(R"({"a":{"b":null,"c":5}})");
    ASSERT_TRUE(azure::write_reported(twin, patch, later));
    EXPECT_EQ(azure::json_text(azure::patched_value(patch, twin.reported)),
              R"({"a":{"b":null,"c":5},"$metadata":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z",)"
              R"("a":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z",)"
              R"("c":{"$lastUpdated":"2026-11-25T09:46:42.0000000Z"}}},"$version":3})");
}

TEST(DesiredNotification, IsWhatWasWrittenWithTheVersion) {
    EXPECT_EQ(azure::desired_notification(object(R"({"a":{"b":null},"c":2.5})"), 4),
              R"({"a":{"b":null},"c":2.5,"$version":4})");
}

}  // namespace
