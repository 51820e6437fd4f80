// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <atomic>
#include <future>
#include <stdexcept>

#include <gmock/gmock.h>

#include "http/body_source.hpp"
#include "http/client.hpp"
#include "net/timer.hpp"
#include "raw_client.hpp"
#include "support/loops.hpp"
#include "support/temporary_directory.hpp"

namespace http_tests {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::chrono::milliseconds generous = 20s;

/// Three pieces, or pieces without end.
class Pieces final : public http::BodySource {
  public:
    explicit Pieces(bool endless) : endless_(endless) { ++alive; }
    ~Pieces() override {
        --alive;
        alive.notify_all();
    }
    net::Task<std::string> next() override {
        co_await net::sleep_for(1ms);
        ++asked;
        if (endless_) co_return std::string(64 * 1024, 'x');
        co_return count_ < 3 ? "piece" + std::to_string(count_++) : std::string();
    }
    static inline std::atomic<int> asked = 0;
    static inline std::atomic<int> alive = 0;

  private:
    bool endless_;
    int count_ = 0;
};

net::Task<http::Response> answer(http::Request request, const net::Peer&) {
    if (request.raw_target == "/pieces" || request.raw_target == "/endless") {
        http::Response response;
        response.headers.set("Content-Type", "text/event-stream");
        response.source = std::make_shared<Pieces>(request.raw_target == "/endless");
        co_return response;
    }
    if (request.raw_target == "/throw") throw std::runtime_error("handler bug");
    if (request.raw_target == "/later") co_await net::sleep_for(5ms);
    if (request.raw_target == "/nothing") co_return http::Response::empty(204);
    co_return http::Response::text(
        200, std::string(to_string(request.verb)) + " " + request.raw_target + " " + request.body);
}

http::Response error_body(int status, std::string_view reason) {
    return http::Response::json(status, R"({"message":")" + std::string(reason) + "\"}");
}

struct HttpServer : testing::Test {
    support::TemporaryDirectory directory;
    std::string path = directory / "api.sock";
    support::ServingLoops serving{1};
    std::unique_ptr<net::UnixListener> listener;

    void SetUp() override { listener = open({}); }

    std::unique_ptr<net::UnixListener> open(http::Limits limits) {
        listener.reset();
        return net::UnixListener::open(serving.first(), path, 0600, http::serve(answer, error_body, limits))
            .value();
    }
    /// What the server sends until it ends the connection.
    std::string exchange(std::string_view bytes) const {
        RawClient client(path);
        EXPECT_TRUE(client.send(bytes));
        return client.read_all();
    }
};

TEST_F(HttpServer, AnswersAndCloses) {
    const auto answered = exchange("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answered, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answered, HasSubstr("\r\nContent-Length: 7\r\n"));
    EXPECT_THAT(answered, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(answered, HasSubstr("\r\nDate: "));
    EXPECT_THAT(answered, testing::EndsWith("\r\n\r\nGET /x "));
}

TEST_F(HttpServer, KeepsTheConnectionForTheNextRequest) {
    RawClient client(path);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n"));
        EXPECT_THAT(client.read_until("GET /keep "), Not(HasSubstr("Connection:")));
    }
}

TEST_F(HttpServer, SendsAGrowingBodyInChunksAndKeepsTheConnection) {
    RawClient client(path);
    ASSERT_TRUE(client.send("GET /pieces HTTP/1.1\r\nHost: h\r\n\r\n"));
    const auto answered = client.read_until("0\r\n\r\n");
    EXPECT_THAT(answered, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(answered, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(answered, HasSubstr("\r\n\r\n6\r\npiece0\r\n6\r\npiece1\r\n6\r\npiece2\r\n0\r\n\r\n"));
    ASSERT_TRUE(client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_THAT(client.read_until("GET /keep "), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServer, AGrowingBodyEndsWithTheConnectionWhereChunksAreUnknownOrUnwanted) {
    for (const auto* request :
         {"GET /pieces HTTP/1.0\r\n\r\n", "GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
          "GET /pieces HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
        const auto answered = exchange(request);
        EXPECT_THAT(answered, HasSubstr("\r\nConnection: close\r\n"));
        EXPECT_THAT(answered, Not(HasSubstr("chunked")));
        EXPECT_THAT(answered, testing::EndsWith("\r\n\r\npiece0piece1piece2"));
    }
}

TEST_F(HttpServer, AGrowingBodyEndsWhenItsReaderGoes) {
    {
        RawClient client(path);
        ASSERT_TRUE(client.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n"));
        EXPECT_THAT(client.read_until("xxxx"), HasSubstr("chunked"));
        EXPECT_EQ(Pieces::alive, 1);
    }
    Pieces::alive.wait(1);
    EXPECT_EQ(Pieces::alive, 0);
}

TEST_F(HttpServer, AReaderThatDoesNotReadHoldsUpItsBodyAndNoMore) {
    Pieces::asked = 0;
    RawClient client(path);
    ASSERT_TRUE(client.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_THAT(client.read_until("xxxx"), HasSubstr("chunked"));
    for (int i = 0; i < 20; ++i) EXPECT_THAT(exchange("GET /x HTTP/1.0\r\n\r\n"), HasSubstr("GET /x"));
    // What fits between the two ends, and one piece that waits.
    EXPECT_LT(Pieces::asked, 64);
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
    const auto answered = exchange(
        "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
        "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"
        "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const auto first = answered.find("POST /1 one");
    const auto second = answered.find("GET /later ");
    const auto third = answered.find("GET /3 ");
    ASSERT_NE(third, std::string::npos) << answered;
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
}

TEST_F(HttpServer, HeadHasTheLengthAndNoBody) {
    const auto answered = exchange("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answered, HasSubstr("\r\nContent-Length: 8\r\n"));
    EXPECT_THAT(answered, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServer, Http10ClosesUnlessAskedToStay) {
    EXPECT_THAT(exchange("GET /x HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
    RawClient client(path);
    ASSERT_TRUE(client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_THAT(client.read_until("GET /x "), HasSubstr("Connection: keep-alive"));
}

TEST_F(HttpServer, SaysContinueToWhoWaitsForIt) {
    RawClient client(path);
    ASSERT_TRUE(
        client.send("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(client.send("body"));
    EXPECT_THAT(client.read_until("PUT /x body"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServer, RefusesALargeBodyWithoutReadingIt) {
    const auto answered =
        exchange("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_THAT(answered, StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(answered, HasSubstr("Connection: close"));
    EXPECT_THAT(answered, HasSubstr(R"({"message":)"));
}

TEST_F(HttpServer, TheAnswerToALargeBodyReachesAClientThatIsStillSending) {
    RawClient client(path);
    client.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n" + std::string(150'000, 'x'));
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServer, RefusesMalformedRequestsAndCloses) {
    EXPECT_THAT(exchange("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_THAT(exchange("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
                         "POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
                         "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
                testing::AllOf(HasSubstr("GET /x "), HasSubstr("HTTP/1.1 400 "), Not(HasSubstr("smuggled"))));
    EXPECT_THAT(exchange("GET /" + std::string(20'000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServer, EndsASlowHeaderWith408) {
    http::Limits limits;
    limits.head_deadline = 30ms;
    listener = open(limits);
    EXPECT_THAT(exchange("GET /slow HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(HttpServer, TheHeaderDeadlineCountsFromTheFirstByteHoweverManyFollow) {
    http::Limits limits;
    limits.head_deadline = 150ms;
    listener = open(limits);
    RawClient client(path);
    const auto begin = std::chrono::steady_clock::now();
    std::thread drip([&] {
        while (client.send("G") && std::chrono::steady_clock::now() - begin < 5s)
            std::this_thread::sleep_for(10ms);
    });
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 "));
    client.end_sending();
    drip.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(HttpServer, EndsASlowBodyWith408) {
    http::Limits limits;
    limits.body_deadline = 30ms;
    listener = open(limits);
    EXPECT_THAT(exchange("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"),
                testing::AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("body")));
}

TEST_F(HttpServer, ClosesAnIdleConnectionWithoutAWord) {
    http::Limits limits;
    limits.idle = 20ms;
    listener = open(limits);
    EXPECT_EQ(exchange(""), "");
}

TEST_F(HttpServer, ClosesAfterEachAnswerWhereTold) {
    http::Limits limits;
    limits.close_after_answer = true;
    listener = open(limits);
    EXPECT_THAT(exchange("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("Connection: close"));
}

TEST_F(HttpServer, AHandlerThatThrowsGives500AndTheServerLives) {
    const auto answered = exchange("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(answered, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
    EXPECT_THAT(answered, Not(HasSubstr("handler bug")));
    EXPECT_THAT(exchange("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), HasSubstr("GET /x "));
}

TEST_F(HttpServer, SurvivesAClientThatLeavesInTheMiddle) {
    for (const std::string_view bytes :
         {"GET", "GET /x HTTP/1.1\r\n", "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"}) {
        RawClient client(path);
        client.send(bytes);
    }
    EXPECT_THAT(exchange("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), HasSubstr("GET /x "));
}

struct HttpClient : HttpServer {
    support::StoppedClock clock;
    base::Result<http::Response> ask(http::Request request) const {
        return net::run_task_for(
            http::request(http::UnixEndpoint{path}, std::move(request), generous, clock));
    }
};

TEST_F(HttpClient, GetsAnAnswerOverAUnixSocket) {
    http::Request request;
    request.verb = http::Verb::post;
    request.raw_target = "/modules/$edgeHub/sign?api-version=2018-06-28";
    request.body = "payload";
    const auto response = ask(request);
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /modules/$edgeHub/sign?api-version=2018-06-28 payload");
    EXPECT_EQ(response->headers.get("content-type"), "text/plain; charset=utf-8");
}

TEST_F(HttpClient, TakesAnyStatusAsSuccess) {
    http::Request request;
    request.raw_target = "/throw";
    const auto response = ask(request);
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->status, 500);
    request.raw_target = "/nothing";
    const auto nothing = ask(request);
    ASSERT_TRUE(nothing) << nothing.error().text();
    EXPECT_EQ(nothing->status, 204);
    EXPECT_EQ(nothing->body, "");
}

TEST_F(HttpClient, NamesTheSocketThatNobodyServes) {
    listener.reset();
    const auto response = ask({});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, base::Code::unavailable);
    EXPECT_THAT(response.error().text(), HasSubstr(path));
}

net::Task<> send_raw(net::Stream stream, std::string bytes) {
    co_await stream.readable(generous);
    const auto written = co_await stream.write_all(std::as_bytes(std::span(bytes)), generous);
    if (written) co_await stream.close_after_answer(generous);
}

net::Task<> say_nothing(net::Stream stream) {
    std::vector<std::byte> buffer(4096);
    for (;;) {
        const auto got = co_await stream.read_some(buffer, generous);
        if (!got) co_return;
    }
}

struct ClientCase {
    std::string_view name;
    std::string_view bytes;
    std::optional<base::Code> code;
    std::string_view body;
};

class HttpClientReads : public HttpClient, public testing::WithParamInterface<ClientCase> {};

TEST_P(HttpClientReads, WhatServersSend) {
    listener.reset();
    const std::string bytes(GetParam().bytes);
    listener = net::UnixListener::open(serving.first(), path, 0600, [bytes](net::Stream stream) {
                   return send_raw(std::move(stream), bytes);
               }).value();
    const auto response = ask({});
    if (GetParam().code) {
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, *GetParam().code) << response.error().text();
        EXPECT_THAT(response.error().thing, HasSubstr(path));
    } else {
        ASSERT_TRUE(response) << response.error().text();
        EXPECT_EQ(response->body, GetParam().body);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpClientReads,
    testing::Values(
        ClientCase{"Chunked",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                   {},
                   "abcde"},
        ClientCase{"ToTheEnd", "HTTP/1.1 200 OK\r\n\r\nabc", {}, "abc"},
        ClientCase{"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", {}, "a"},
        ClientCase{"Garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n", base::Code::malformed, ""},
        ClientCase{"Empty", "", base::Code::unavailable, ""},
        ClientCase{"CutOff", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", base::Code::unavailable, ""},
        ClientCase{"CutOffChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                   base::Code::unavailable, ""},
        ClientCase{"TooLarge", "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n", base::Code::too_large,
                   ""}),
    [](const auto& of) { return std::string(of.param.name); });

TEST_F(HttpClient, GivesUpAtItsLimit) {
    listener.reset();
    listener = net::UnixListener::open(serving.first(), path, 0600, say_nothing).value();
    const auto response = net::run_task_for(http::request(http::UnixEndpoint{path}, {}, 20ms, clock));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, base::Code::timeout);
}

TEST(HttpsClient, AsksOverTlsAndNamesARefusedServer) {
    const support::TestPki pki;
    const auto hub = support::make_identity({.profile = pki::Profile::server,
                                             .common_name = "contosoiothub.local",
                                             .names = {"DNS:contosoiothub.local"}},
                                            &pki.intermediate);
    const support::StoppedClock clock;
    support::ServingLoops serving(2);
    auto tls = net::ServerTls::make({hub.certificate, pki.intermediate.certificate}, hub.key).value();
    const auto listener =
        net::TlsListener::open(serving.loops(), "127.0.0.1", 0, tls, http::serve(answer, error_body)).value();
    net::ClientTls::Options options;
    options.trust =
        std::make_shared<const pki::TrustBundle>(std::vector<pki::Certificate>{pki.root.certificate});
    const auto client = net::ClientTls::make(std::move(options)).value();
    http::TlsEndpoint endpoint{{"127.0.0.1", listener->port(), "contosoiothub.local"}, client};
    const auto response = net::run_task_for(http::request(endpoint, {}, generous, clock));
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->body, "GET / ");
    endpoint.target.name = "other.local";
    const auto refused = net::run_task_for(http::request(endpoint, {}, generous, clock));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::unauthenticated);
    EXPECT_THAT(refused.error().text(), HasSubstr("127.0.0.1:" + std::to_string(listener->port())));
}

}  // namespace
}  // namespace http_tests
