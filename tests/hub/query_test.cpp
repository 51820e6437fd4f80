// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hub/query_scan.hpp"
#include "test_hub.hpp"

namespace hub_test {
namespace {

namespace json = boost::json;
using http::Verb;

class QueryTest : public testing::Test {
  protected:
    using Headers = std::map<std::string, std::string>;

    http::Response ask(const std::string& query, Headers headers = {},
                       const char* policy = "iothubowner") const {
        return hub_.ask({.verb = Verb::post,
                         .target = "/devices/query?api-version=2021-04-12",
                         .body = json::serialize(json::object{{"query", query}}),
                         .headers = std::move(headers)},
                        {nullptr, hub_.policy_token(policy)});
    }
    json::array rows(const std::string& query) const {
        const auto answer = ask(query);
        if (answer.status != 200) throw std::runtime_error(answer.body);
        return json::parse(answer.body).as_array();
    }
    /// The device ids of the first page, joined by blanks.
    std::string ids(const std::string& query) const {
        std::string out;
        for (const auto& row : rows(query)) out += std::string(row.at("deviceId").as_string()) + " ";
        return out;
    }
    void load(const std::string& items) {
        const auto answer = hub_.ask({.verb = Verb::post, .target = "/devices", .body = items});
        if (answer.status != 200) throw std::runtime_error(answer.body);
    }
    TestHub hub_;
};

TEST_F(QueryTest, AnswersTwinsForAllAndRawObjectsForColumns) {
    load(R"([{"id":"a","status":"disabled"},{"id":"b"},{"id":"b","moduleId":"m1"},{"id":"c"}])");
    const auto all = ask("SELECT * FROM devices");
    EXPECT_EQ(all.status, 200);
    EXPECT_EQ(all.headers.get("x-ms-item-type"), "Twin");
    EXPECT_EQ(all.headers.get("x-ms-continuation"), std::nullopt);
    EXPECT_EQ(json::parse(all.body).as_array().size(), 3U);
    const auto columns = ask("SELECT deviceId AS id, status FROM devices WHERE status = 'disabled'");
    EXPECT_EQ(columns.headers.get("x-ms-item-type"), "Raw");
    EXPECT_EQ(columns.body, R"([{"id":"a","status":"disabled"}])");
    EXPECT_EQ(ids("SELECT * FROM devices WHERE deviceId IN ['b', 'c'] AND NOT deviceId = 'c'"), "b ");
    EXPECT_EQ(ids("SELECT * FROM devices WHERE deviceId > 'a'"), "b c ");
    const auto modules = rows("SELECT * FROM devices.modules WHERE moduleId = 'm1'");
    ASSERT_EQ(modules.size(), 1U);
    EXPECT_EQ(modules[0].at("deviceId"), "b");
}

TEST_F(QueryTest, CountsAndGroups) {
    load(R"([{"id":"a","status":"disabled"},{"id":"b"},{"id":"b","moduleId":"m1"},{"id":"c"}])");
    EXPECT_EQ(ask("SELECT COUNT() AS n FROM devices").body, R"([{"n":3}])");
    EXPECT_EQ(ask("SELECT COUNT() AS n FROM devices.modules").body, R"([{"n":1}])");
    EXPECT_EQ(ask("SELECT COUNT() AS n FROM devices WHERE status = 'enabled'").body, R"([{"n":2}])");
    const auto grouped = ask("SELECT status, COUNT() AS n FROM devices GROUP BY status");
    EXPECT_EQ(grouped.body, R"([{"status":"disabled","n":1},{"status":"enabled","n":2}])");
    EXPECT_EQ(grouped.headers.get("x-ms-item-type"), "Raw");
    EXPECT_EQ(json::parse(ask("SELECT TOP 1 status, COUNT() AS n FROM devices GROUP BY status").body)
                  .as_array()
                  .size(),
              1U);
}

TEST_F(QueryTest, LooksIntoTagsAndProperties) {
    load(R"([{"id":"a","tags":{"site":{"floor":3}},"properties":{"desired":{"t":1.5}}},
             {"id":"b","tags":{"site":{"floor":4}}},{"id":"c"},
             {"id":"c","moduleId":"m","properties":{"desired":{"t":2}}}])");
    EXPECT_EQ(ids("SELECT * FROM devices WHERE tags.site.floor >= 3"), "a b ");
    EXPECT_EQ(ids("SELECT * FROM devices WHERE NOT tags.site.floor = 3"), "b ");
    EXPECT_EQ(ids("SELECT * FROM devices WHERE NOT IS_DEFINED(tags.site)"), "c ");
    EXPECT_EQ(ids("SELECT * FROM devices.modules WHERE properties.desired.t = 2"), "c ");
    EXPECT_EQ(ask("SELECT properties.desired.t AS t, tags.site FROM devices WHERE deviceId = 'a'").body,
              R"([{"t":1.5,"site":{"floor":3}}])");
    EXPECT_EQ(ask("SELECT AVG(tags.site.floor) AS mean FROM devices").body, R"([{"mean":3.5}])");
    const auto twin = rows("SELECT * FROM devices WHERE deviceId = 'a'").at(0).as_object();
    EXPECT_EQ(twin.at("deviceEtag"), hub_.get("/devices/a").at("etag"));
    EXPECT_EQ(twin.at("properties").at("desired").at("$version"), 2);
    EXPECT_TRUE(twin.at("properties").at("desired").at("$metadata").as_object().contains("t"));
    EXPECT_EQ(twin.at("properties").at("reported").at("$version"), 1);
}

TEST_F(QueryTest, GivesPagesThatMeetWithoutGapOrOverlap) {
    for (int hundred = 0; hundred < 3; ++hundred) {
        std::string items = "[";
        for (int i = 0; i < 100; ++i)
            items += (i == 0 ? "" : ",") + (R"({"id":"d)" + std::to_string(1000 + hundred * 100 + i) + "\"}");
        load(items + "]");
    }
    const auto first = ask("SELECT * FROM devices");
    EXPECT_EQ(json::parse(first.body).as_array().size(), 100U) << "the default";
    for (const auto& [size, pages] :
         std::vector<std::pair<std::string, int>>{{"7", 43}, {"150", 2}, {"300", 1}, {"5000", 1}}) {
        std::vector<std::string> seen;
        Headers headers{{"x-ms-max-item-count", size}};
        int count = 0;
        while (true) {
            const auto page = ask("SELECT deviceId FROM devices", headers);
            ASSERT_EQ(page.status, 200) << page.body;
            ++count;
            const auto rows = json::parse(page.body);
            for (const auto& row : rows.as_array()) seen.emplace_back(row.at("deviceId").as_string());
            const auto token = page.headers.get("x-ms-continuation");
            if (!token) break;
            headers["x-ms-continuation"] = std::string(*token);
        }
        EXPECT_EQ(count, pages) << size;
        ASSERT_EQ(seen.size(), 300U) << size;
        EXPECT_EQ(seen.front(), "d1000");
        EXPECT_EQ(seen.back(), "d1299");
        EXPECT_TRUE(std::ranges::is_sorted(seen));
    }
    EXPECT_EQ(rows("SELECT TOP 3 * FROM devices").size(), 3U);
    const auto top = ask("SELECT TOP 9 * FROM devices", {{"x-ms-max-item-count", "5"}});
    const auto rest = ask("SELECT TOP 9 * FROM devices",
                          {{"x-ms-max-item-count", "5"},
                           {"x-ms-continuation", std::string(*top.headers.get("x-ms-continuation"))}});
    EXPECT_EQ(json::parse(rest.body).as_array().size(), 4U);
    EXPECT_EQ(rest.headers.get("x-ms-continuation"), std::nullopt);
}

TEST_F(QueryTest, RefusesWhatIsNoQuery) {
    load(R"([{"id":"a"},{"id":"b"}])");
    const auto token = std::string(
        *ask("SELECT * FROM devices", {{"x-ms-max-item-count", "1"}}).headers.get("x-ms-continuation"));
    const std::vector<std::pair<http::Response, const char*>> cases{
        {ask("SELECT * FROM"), "bad query"},
        {ask(""), "no query"},
        {ask("SELECT * FROM devices", {{"x-ms-max-item-count", "0"}}), "page size 0"},
        {ask("SELECT * FROM devices", {{"x-ms-max-item-count", "x"}}), "page size x"},
        {ask("SELECT * FROM devices", {{"x-ms-continuation", "x"}}), "no token"},
        {ask("SELECT * FROM devices", {{"x-ms-continuation", "MS8vLy8="}}), "no token of ours"},
        {ask("SELECT * FROM devices WHERE true", {{"x-ms-continuation", token}}), "token of another query"}};
    for (const auto& [answer, what] : cases) {
        EXPECT_EQ(answer.status, 400) << what;
        EXPECT_EQ(answer.headers.get("iothub-errorcode"), "ArgumentInvalid") << what;
    }
    EXPECT_NE(ask("SELECT * FROM devices WHERE ?").body.find("query at position 29"), std::string::npos);
    EXPECT_EQ(hub_.ask({.verb = Verb::post, .target = "/devices/query", .body = "["}).status, 400);
    EXPECT_EQ(ask("SELECT * FROM devices", {}, "registryReadWrite").status, 401);
    EXPECT_EQ(ask("SELECT * FROM devices", {}, "service").status, 200);
}

TEST_F(QueryTest, KnowsWhoIsConnected) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    load(R"([{"id":"other"}])");
    net::run_task([](const TestHub& hub, const support::Identity& who) -> net::Task<> {
        const MqttWish wish{.device = "TempSensor", .identity = &who};
        auto client = co_await hub.connect(wish);
        if (!client) throw std::runtime_error(client.error().text());
        Ask ask{.verb = Verb::post,
                .target = "/devices/query",
                .body = R"({"query":"SELECT deviceId FROM devices WHERE connectionState = 'Connected'"})"};
        const auto answer = co_await hub.call(ask, hub.owner());
        EXPECT_EQ(answer.body, R"([{"deviceId":"TempSensor"}])");
        const Ask question{.target = "/statistics/service"};
        const Caller owner = hub.owner();
        const auto statistics = co_await hub.call(question, owner);
        EXPECT_EQ(statistics.body, R"({"connectedDeviceCount":1})");
        co_await (*client)->disconnect();
    }(hub_, identity));
}

TEST(QueryPosition, GoesThroughItsToken) {
    const hub::QueryPosition position{{"a:.+%_#*?!(),=@;$'-", "$edgeHub"}, 7};
    const auto read = hub::QueryPosition::parse(position.token("q"), "q");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->after, position.after);
    EXPECT_EQ(read->left, 7U);
    EXPECT_FALSE(hub::QueryPosition::parse(position.token("q"), "p"));
}

}  // namespace
}  // namespace hub_test
