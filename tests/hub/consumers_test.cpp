// SPDX-License-Identifier: Apache-2.0
#include "hub/consumers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "support/temporary_directory.hpp"
#include "test_hub.hpp"

namespace hub_test {
namespace {

using hub::Consumers;
using testing::HasSubstr;

base::Status put(Consumers& consumers, std::string name, std::uint64_t offset) {
    std::promise<base::Status> done;
    consumers.put({std::move(name), offset, base::Instant{}},
                  [&](base::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
}
base::Status remove(Consumers& consumers, std::string name) {
    std::promise<base::Status> done;
    consumers.remove(std::move(name), [&](base::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
}

struct ConsumersTest : testing::Test {
    support::TemporaryDirectory directory;
    std::unique_ptr<Consumers> open() { return Consumers::open(directory / "consumers.db").value(); }
};

TEST_F(ConsumersTest, OffsetOutlivesTheProcess) {
    {
        const auto consumers = open();
        EXPECT_FALSE(consumers->offset("billing"));
        ASSERT_TRUE(put(*consumers, "billing", 7));
        ASSERT_TRUE(put(*consumers, "billing", 9));
        ASSERT_TRUE(put(*consumers, "alerts", 0));
    }
    const auto consumers = open();
    EXPECT_EQ(consumers->offset("billing"), 9U);
    EXPECT_EQ(consumers->offset("alerts"), 0U);
    ASSERT_EQ(consumers->list().size(), 2U);
    EXPECT_EQ(consumers->list()[0].name, "alerts");
}

TEST_F(ConsumersTest, HundredAreKeptAndNoMore) {
    const auto consumers = open();
    for (std::size_t i = 0; i < Consumers::most; ++i)
        ASSERT_TRUE(put(*consumers, "c" + std::to_string(i), i));
    const auto refused = put(*consumers, "one-more", 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::too_large);
    EXPECT_FALSE(consumers->offset("one-more"));
    EXPECT_TRUE(put(*consumers, "c5", 500)) << "one that is there may go on";
    ASSERT_TRUE(remove(*consumers, "c0"));
    EXPECT_TRUE(put(*consumers, "one-more", 1));
}

TEST_F(ConsumersTest, RemovedOneIsGoneForGood) {
    {
        const auto consumers = open();
        ASSERT_TRUE(put(*consumers, "billing", 7));
        ASSERT_TRUE(remove(*consumers, "billing"));
        EXPECT_FALSE(consumers->offset("billing"));
        EXPECT_EQ(remove(*consumers, "billing").error().code, base::Code::not_found);
    }
    EXPECT_TRUE(open()->list().empty());
}

TEST(ConsumerName, IsOfFewCharacters) {
    for (const auto* good : {"$Default", "billing", "a.b_c-1", "X"})
        EXPECT_TRUE(hub::check_consumer_name(good)) << good;
    for (const auto& bad : {std::string(), std::string("$"), std::string("a b"), std::string("a/b"),
                            std::string("a$"), std::string(129, 'a'), std::string("\xc3\xa9")})
        EXPECT_FALSE(hub::check_consumer_name(bad)) << bad;
}

/// A hub with three messages, at the offsets 0, 1 and 2.
struct MessagesTest : testing::Test {
    TestHub hub_;
    void SetUp() override {
        hub_.put_device("TempSensor", R"({"deviceId":"TempSensor"})");
        for (const auto* text : {"one", "two", "three"}) send(text);
    }
    void send(const std::string& body) {
        const auto answer = hub_.ask(
            {.verb = http::Verb::post, .target = "/devices/TempSensor/messages/events", .body = body});
        ASSERT_EQ(answer.status, 204) << answer.body;
    }
    http::Response read(const std::string& query, const std::string& event = {}) {
        Ask ask{.target = "/messages/events" + query};
        if (!event.empty()) ask.headers = {{"Accept", "text/event-stream"}, {"Last-Event-ID", event}};
        return hub_.ask(ask);
    }
    int store(const std::string& name, const std::string& body) {
        return hub_
            .ask({.verb = http::Verb::post, .target = "/messages/events/consumers/" + name, .body = body})
            .status;
    }
    static std::string payloads(const http::Response& answer) {
        std::string all;
        for (const auto line : base::split(answer.body, '\n')) {
            if (line.empty()) continue;
            const auto event = boost::json::parse(line).at("event");
            all += std::string(event.at("payload").as_string()) + " ";
        }
        return all;
    }
};

TEST_F(MessagesTest, ConsumerGoesOnWhereItSaidUnlessItSaysFrom) {
    EXPECT_EQ(payloads(read("?consumer=billing")), "") << "an unknown one begins now";
    ASSERT_EQ(store("billing", R"({"offset":1})"), 204);
    EXPECT_EQ(payloads(read("?consumer=billing")), "two three ");
    EXPECT_EQ(payloads(read("?consumer=billing")), "two three ") << "reading alone moves nothing";
    EXPECT_EQ(payloads(read("?consumer=billing&from=beginning")), "one two three ");
    EXPECT_EQ(payloads(read("?consumer=billing&from=2")), "three ");
    ASSERT_EQ(store("billing", R"({"offset":3})"), 204);
    EXPECT_EQ(payloads(read("?consumer=billing")), "");
}

TEST_F(MessagesTest, ConsumersAreListedAndDeleted) {
    ASSERT_EQ(store("billing", R"({"offset":2})"), 204);
    const auto list = hub_.get("/messages/events/consumers");
    EXPECT_EQ(list.at("first").to_number<int>(), 0);
    EXPECT_EQ(list.at("next").to_number<int>(), 3);
    ASSERT_EQ(list.at("consumers").as_array().size(), 1U);
    EXPECT_EQ(list.at("consumers").at(0).at("name").as_string(), "billing");
    EXPECT_EQ(list.at("consumers").at(0).at("offset").to_number<int>(), 2);
    const Ask remove{.verb = http::Verb::delete_, .target = "/messages/events/consumers/billing"};
    EXPECT_EQ(hub_.ask(remove).status, 204);
    EXPECT_EQ(hub_.ask(remove).status, 404);
}

TEST_F(MessagesTest, OffsetThatIsNoneIsRefused) {
    for (const auto* body :
         {"", "{}", "7", R"({"offset":-1})", R"({"offset":"1"})", R"({"offset":1.5})", "{\"offset\":"}) {
        EXPECT_EQ(store("billing", body), 400) << body;
    }
    EXPECT_EQ(store("billing", R"({"offset":4})"), 400) << "not given out yet";
    EXPECT_EQ(store("a%2Fb", R"({"offset":1})"), 400);
    EXPECT_EQ(read("?consumer=a%20b").status, 400);
    EXPECT_EQ(read("?from=somewhere").status, 400);
    EXPECT_TRUE(hub_.get("/messages/events/consumers").at("consumers").as_array().empty());
}

TEST_F(MessagesTest, OffsetOfAnotherLogIsToldAndReadingGoesOnAtTheFirst) {
    const auto answer = read("?from=1000");
    EXPECT_EQ(answer.headers.get("sallyport-gone-offset").value_or(""), "1000");
    EXPECT_EQ(payloads(answer), "one two three ");
}

net::Task<std::string> read_stream(const TestHub& hub, std::string query, std::string headers,
                                   std::string until) {
    const net::TlsTarget target{"127.0.0.1", hub.https_port(), "127.0.0.1"};
    const std::chrono::milliseconds limit = std::chrono::seconds(40);
    auto connected = co_await net::connect_tls(target, hub.client_tls(), limit, base::system_clock());
    EXPECT_TRUE(connected.has_value());
    if (!connected) co_return std::string();
    const std::string request =
        "GET /messages/events" + query +
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nAuthorization: " +
        hub.policy_token("service") + "\r\n" + headers + "\r\n";
    const auto written = co_await connected->stream.write_all(base::as_bytes(request), limit);
    EXPECT_TRUE(written.has_value());
    std::string text;
    std::string buffer(4096, '\0');
    while (text.find(until) == std::string::npos) {
        const auto into = std::as_writable_bytes(std::span(buffer));
        const auto got = co_await connected->stream.read_some(into, limit);
        if (!got) break;
        text += buffer.substr(0, *got);
    }
    co_return text;
}

TEST_F(MessagesTest, EventStreamCarriesOffsetsAsIds) {
    const auto text = net::run_task_for(read_stream(hub_, "?from=beginning", "", "id: 2\n"));
    EXPECT_THAT(text, HasSubstr("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(text, HasSubstr("Content-Type: text/event-stream\r\n"));
    EXPECT_THAT(text, HasSubstr("id: 0\ndata: {\"event\":{\"origin\":\"TempSensor\""));
    EXPECT_THAT(text, HasSubstr("\n\nid: 1\ndata: "));
}

TEST_F(MessagesTest, EventStreamGoesOnBehindTheLastEventThatWasSeen) {
    const auto text =
        net::run_task_for(read_stream(hub_, "?from=beginning", "Last-Event-ID: 1\r\n", "id: 2\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("id: 1\n")));
    EXPECT_THAT(text, HasSubstr("id: 2\n"));
    EXPECT_EQ(read("", "one").status, 400);
}

TEST_F(MessagesTest, EventStreamOfAConsumerStartsAtItsOffset) {
    ASSERT_EQ(store("billing", R"({"offset":2})"), 204);
    const auto text = net::run_task_for(read_stream(hub_, "?consumer=billing", "", "id: 2\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("id: 1\n")));
}

TEST_F(MessagesTest, EventStreamTellsThatItsStartIsGone) {
    const auto text = net::run_task_for(read_stream(hub_, "?from=1000", "", "id: 0\n"));
    EXPECT_THAT(text, HasSubstr("event: gone\ndata: {\"asked\":1000,\"first\":0}\n\nid: 0\n"));
}

net::Task<> read_live(const TestHub& hub, std::string& text) {
    auto coming = read_stream(hub, "?from=now", "", "\"four\"");
    text = co_await std::move(coming);
}

net::Task<> send_later(const TestHub& hub) {
    const Ask question{
        .verb = http::Verb::post, .target = "/devices/TempSensor/messages/events", .body = "four"};
    const Caller owner = hub.owner();
    const auto answer = co_await hub.call(question, owner);
    EXPECT_EQ(answer.status, 204);
}

net::Task<> read_while_sending(const TestHub& hub, std::string& text) {
    net::TaskGroup readers;
    readers.spawn("reader", read_live(hub, text));
    // Whichever comes first: a stream that begins later asks for `now`, so it is sent until it has been seen.
    while (text.empty()) {
        auto sending = send_later(hub);
        co_await std::move(sending);
    }
    co_await readers.drained();
}

TEST_F(MessagesTest, EventStreamShowsWhatArrives) {
    std::string text;
    net::run_task(read_while_sending(hub_, text));
    EXPECT_THAT(text, HasSubstr(R"("payload":"four")"));
}

}  // namespace
}  // namespace hub_test
