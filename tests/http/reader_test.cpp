// SPDX-License-Identifier: Apache-2.0
#include "http/reader.hpp"

#include <gmock/gmock.h>

namespace {

using http::Progress;
using http::RequestReader;
using http::ResponseReader;
using testing::HasSubstr;

struct Read {
    Progress progress = Progress::need_more;
    http::Refusal refusal;
    http::Request request;
    std::string rest;
};

/// Feeds `bytes` in pieces of `piece`.
Read read(std::string_view bytes, std::size_t piece,
          RequestReader::Host host = RequestReader::Host::required) {
    RequestReader reader(1024, 100, host);
    Read result;
    while (result.progress == Progress::need_more || result.progress == Progress::head) {
        if (bytes.empty() && result.progress == Progress::need_more) break;
        const auto next = bytes.substr(0, piece);
        bytes.remove_prefix(next.size());
        result.rest += next;
        result.progress = reader.feed(result.rest);
        if (bytes.empty() && result.progress == Progress::head) result.progress = reader.feed(result.rest);
        if (bytes.empty()) break;
    }
    result.rest += bytes;
    result.refusal = reader.refusal();
    if (result.progress == Progress::done) result.request = reader.take();
    return result;
}

struct Case {
    std::string_view name;
    std::string_view bytes;
    int status;
};

constexpr std::string_view many_headers = "GET / HTTP/1.1\r\nHost: h\r\nX: ";

const Case refused_cases[] = {
    {"Garbage", "\x01\x02\x03\x04 hello\r\n\r\n", 400},
    {"NoTarget", "GET\r\nHost: h\r\n\r\n", 400},
    {"NoVersion", "GET /\r\nHost: h\r\n\r\n", 400},
    {"Version2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400},
    {"Version09", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 400},
    {"LowerCaseVersion", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
    {"TwoSpaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"BareLineFeeds", "GET / HTTP/1.1\nHost: h\n\n", 400},
    {"BareLineFeedInField", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
    {"SpaceBeforeColon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
    {"FieldWithoutColon", "GET / HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n", 400},
    {"EmptyFieldName", "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", 400},
    {"NullInField", std::string_view("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 35), 400},
    {"LengthAndChunked",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"ChunkedAndLength",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
    {"TwoLengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
    {"LengthList", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 2\r\n\r\nab", 400},
    {"RepeatedLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400},
    {"ListOfEqualLengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2,2\r\n\r\nab", 400},
    {"NegativeLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
    {"SignedLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400},
    {"HexLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\na", 400},
    {"HugeLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
    {"LengthOverLimit", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", 413},
    {"GzipCoding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
    {"GzipThenChunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     400},
    {"ChunkedThenIdentity",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
    {"TwoCodings",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     400},
    {"TabBeforeChunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
    {"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"BadChunkSize", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
    {"ChunkSizeOverflow",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
    {"ChunkOverLimit", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n", 413},
    {"ChunkWithoutItsEnd",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 400},
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"UnknownExpectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\na",
     417},
    {"TargetNoPath", "GET devices HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"BadEscape", "GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
};

class Refused : public testing::TestWithParam<std::tuple<Case, std::size_t>> {};

TEST_P(Refused, WithItsStatusAndAReason) {
    const auto& [what, piece] = GetParam();
    const auto result = read(what.bytes, piece);
    ASSERT_EQ(result.progress, Progress::refused);
    EXPECT_EQ(result.refusal.status, what.status) << result.refusal.reason;
    EXPECT_FALSE(result.refusal.reason.empty());
}

INSTANTIATE_TEST_SUITE_P(Request, Refused,
                         testing::Combine(testing::ValuesIn(refused_cases), testing::Values(1U, 7U, 4096U)),
                         [](const auto& of) {
                             return std::string(std::get<0>(of.param).name) + "InPiecesOf" +
                                    std::to_string(std::get<1>(of.param));
                         });

TEST(RequestReader, RefusesAHeaderOverTheLimitBeforeItEnds) {
    const auto result = read(std::string(many_headers) + std::string(2000, 'x'), 64);
    ASSERT_EQ(result.progress, Progress::refused);
    EXPECT_EQ(result.refusal.status, 431);
}

TEST(RequestReader, RefusesAnEndlessChunkExtension) {
    const auto result = read(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(5000, 'e'), 64);
    ASSERT_EQ(result.progress, Progress::refused);
    EXPECT_EQ(result.refusal.status, 431);
}

TEST(RequestReader, RefusesAnEndlessTrailer) {
    const auto result = read(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(5000, 't'),
        64);
    ASSERT_EQ(result.progress, Progress::refused);
    EXPECT_EQ(result.refusal.status, 431);
}

class Pieces : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Of, Pieces, testing::Values(1U, 3U, 17U, 4096U));

TEST_P(Pieces, ReadARequestWithABody) {
    const auto result = read(
        "PUT /twins/TempSensor?api-version=2021-04-12 HTTP/1.1\r\nHost: hub\r\nIf-Match: \"*\"\r\n"
        "Content-Length: 4\r\n\r\nbodyNEXT",
        GetParam());
    ASSERT_EQ(result.progress, Progress::done);
    EXPECT_EQ(result.request.verb, http::Verb::put);
    EXPECT_EQ(result.request.target.segments.at(1), "TempSensor");
    EXPECT_EQ(result.request.headers.get("if-match"), "\"*\"");
    EXPECT_EQ(result.request.body, "body");
    EXPECT_EQ(result.rest, "NEXT");
}

TEST_P(Pieces, ReadAChunkedRequest) {
    const auto result = read(
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\nWiki\r\n5;ext=1\r\npedia\r\n0\r\nAuthorization: forged\r\n\r\nNEXT",
        GetParam());
    ASSERT_EQ(result.progress, Progress::done);
    EXPECT_EQ(result.request.body, "Wikipedia");
    EXPECT_EQ(result.rest, "NEXT");
    EXPECT_EQ(result.request.headers.get("Authorization"), std::nullopt) << "a trailer became a header";
}

TEST_P(Pieces, ReadThePathOfAnAbsoluteTarget) {
    const auto result =
        read("\r\nGET http://hub.local:80/devices?top=1 HTTP/1.1\r\nHost: hub.local\r\n\r\n", GetParam());
    ASSERT_EQ(result.progress, Progress::done);
    EXPECT_EQ(result.request.target.segments.at(0), "devices");
    EXPECT_EQ(result.request.target.value("top"), "1");
}

TEST(RequestReader, NeedsNoHostOnAUnixSocket) {
    EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n", 4096, RequestReader::Host::optional).progress, Progress::done);
}

TEST_P(Pieces, ReadAChunkedAnswerAfterAnInterimOne) {
    ResponseReader reader(1024, 100, ResponseReader::Body::as_framed);
    std::string bytes =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    std::string buffer;
    auto progress = Progress::need_more;
    for (std::size_t at = 0; at < bytes.size(); at += GetParam()) {
        buffer += bytes.substr(at, GetParam());
        progress = reader.feed(buffer);
        if (progress == Progress::head) progress = reader.feed(buffer);
    }
    ASSERT_EQ(progress, Progress::done);
    const auto response = reader.take();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "abc");
}

TEST(ResponseReader, ReadsToTheEndWhereNothingFramesTheBody) {
    ResponseReader reader(1024, 100, ResponseReader::Body::as_framed);
    std::string buffer = "HTTP/1.1 200 OK\r\n\r\nto the end";
    EXPECT_EQ(reader.feed(buffer), Progress::head);
    EXPECT_EQ(reader.feed(buffer), Progress::need_more);
    EXPECT_EQ(reader.end(), Progress::done);
    EXPECT_EQ(reader.take().body, "to the end");
}

TEST(ResponseReader, RefusesAnAnswerThatEndsWithinItsBody) {
    ResponseReader reader(1024, 100, ResponseReader::Body::as_framed);
    std::string buffer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort";
    reader.feed(buffer);
    reader.feed(buffer);
    EXPECT_EQ(reader.end(), Progress::refused);
    EXPECT_THAT(reader.refusal().reason, HasSubstr("ended"));
}

TEST(ResponseReader, HasNoBodyAfterAHead) {
    ResponseReader reader(1024, 100, ResponseReader::Body::none);
    std::string buffer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    EXPECT_EQ(reader.feed(buffer), Progress::done);
}

}  // namespace
