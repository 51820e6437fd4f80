// SPDX-License-Identifier: Apache-2.0
#include "http/message.hpp"

#include <gmock/gmock.h>

#include "http/writer.hpp"

namespace {

using http::Target;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Target, DecodesEachSegmentByItself) {
    const auto target = Target::parse("/devices/a%2Fb/modules/");
    ASSERT_TRUE(target);
    EXPECT_THAT(target->segments, ElementsAre("devices", "a/b", "modules", ""));
}

TEST(Target, KeepsDollarAndColonOfIds) {
    const auto target = Target::parse("/modules/$edgeHub/genid/1:2/sign?api-version=2018-06-28");
    ASSERT_TRUE(target);
    EXPECT_THAT(target->segments, ElementsAre("modules", "$edgeHub", "genid", "1:2", "sign"));
    EXPECT_EQ(target->value("api-version"), "2018-06-28");
}

TEST(Target, TheRootIsOneEmptySegment) {
    const auto target = Target::parse("/");
    ASSERT_TRUE(target);
    EXPECT_THAT(target->segments, ElementsAre(""));
}

TEST(Target, TheLastOfEqualKeysCounts) {
    const auto target = Target::parse("/x?v=1&v=2");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->value("v"), "2");
}

TEST(Target, TellsAKeyWithoutEqualsFromAnEmptyValue) {
    const auto target = Target::parse("/x?bare&empty=&&more=a%3Db+c");
    ASSERT_TRUE(target);
    ASSERT_EQ(target->query.size(), 3U);
    EXPECT_EQ(target->query[0].second, std::nullopt);
    EXPECT_EQ(target->query[1].second, "");
    EXPECT_EQ(target->query[2].second, "a=b+c");
    EXPECT_TRUE(target->has("bare"));
    EXPECT_FALSE(target->has("absent"));
    EXPECT_EQ(target->value("absent"), std::nullopt);
}

class BadTarget : public testing::TestWithParam<std::string_view> {};
TEST_P(BadTarget, IsRefused) {
    EXPECT_FALSE(Target::parse(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Target, BadTarget,
                         testing::Values("", "devices", "*", "/a%", "/a%2", "/a%zz", "/a?x=%", "/a?%gg=1",
                                         "/%ff", "/a%00b", "/a?x=%c0%af"));

TEST(Headers, CompareNamesWithoutCase) {
    http::Headers headers;
    headers.add("Content-Type", "a");
    headers.add("content-type", "b");
    EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
    headers.set("Content-type", "c");
    ASSERT_EQ(headers.all().size(), 1U);
    EXPECT_EQ(headers.get("content-type"), "c");
    EXPECT_EQ(headers.get("x"), std::nullopt);
}

TEST(WriteResponse, FramesWithOneContentLengthAndAReason) {
    auto response = http::Response::json(200, "{}");
    response.headers.add("content-length", "77");
    response.headers.add("Transfer-Encoding", "chunked");
    const auto bytes = http::write_response(response, {.close = true, .date = {}});
    EXPECT_EQ(bytes,
              "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n"
              "Connection: close\r\n\r\n{}");
}

TEST(WriteResponse, LeavesBodyAndLengthOutOf204) {
    auto response = http::Response::empty(204);
    response.body = "ignored";
    EXPECT_EQ(http::write_response(response, {}), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(WriteResponse, HasAReasonForEveryStatus) {
    for (int status = 200; status < 600; ++status)
        EXPECT_FALSE(http::reason_phrase(status).empty()) << status;
}

TEST(WriteResponse, CannotBeSplitByAValue) {
    auto response = http::Response::empty(200);
    response.headers.add("X-Id", "a\r\nSet-Cookie: stolen");
    response.headers.add("X\r\nEvil", "b");
    const auto bytes = http::write_response(response, {});
    EXPECT_THAT(bytes, Not(HasSubstr("\nSet-Cookie")));
    EXPECT_THAT(bytes, Not(HasSubstr("\nEvil")));
}

TEST(WriteRequest, CannotBeSplitByATarget) {
    http::Request request;
    request.raw_target = "/a b\r\nX: y";
    EXPECT_THAT(http::write_request(request, "hub"),
                testing::StartsWith("GET /a%20b%0D%0AX:%20y HTTP/1.1\r\nHost: hub\r\n"));
}

}  // namespace
