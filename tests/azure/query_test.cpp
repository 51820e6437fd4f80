// SPDX-License-Identifier: Apache-2.0
#include "azure/query.hpp"

#include <gtest/gtest.h>

namespace azure {
namespace {

namespace json = boost::json;

json::object twin() {
    return json::parse(R"({
        "deviceId": "TempSensor", "etag": "AAAAAAAAAAE=", "status": "enabled", "statusReason": null,
        "connectionState": "Disconnected", "lastActivityTime": "2026-11-24T09:00:00Z", "version": 2,
        "capabilities": {"iotEdge": false}, "deviceScope": "ms-azure-iot-edge://e-1",
        "parentScopes": ["ms-azure-iot-edge://e-1"],
        "tags": {"floor": 3, "site": "it's", "ratio": 0.5, "flag": true, "select": "word", "a b": 1,
                 "list": ["wired", 7, null], "location": {"plant": "Redmond43"}, "größe": 2,
                 "huge": 4503599627370496},
        "properties": {"desired": {"$version": 4, "t": 300}, "reported": {"t": 300, "on": false}}})")
        .get_object();
}

struct Decision {
    const char* condition;
    bool holds;
};

class Conditions : public testing::TestWithParam<Decision> {};

TEST_P(Conditions, DecideAboutATwin) {
    const auto condition = Condition::parse(GetParam().condition);
    ASSERT_TRUE(condition) << condition.error().text();
    EXPECT_EQ(condition->holds(twin()), GetParam().holds) << GetParam().condition;
}

INSTANTIATE_TEST_SUITE_P(
    Comparison, Conditions,
    testing::Values(Decision{"deviceId = 'TempSensor'", true}, Decision{"deviceId = \"TempSensor\"", true},
                    Decision{"DEVICEID = 'TempSensor'", true}, Decision{"deviceId = 'tempsensor'", false},
                    Decision{"'TempSensor' = deviceId", true}, Decision{"deviceId != 'TempSensor'", false},
                    Decision{"deviceId <> 'x'", true}, Decision{"tags.floor = 3", true},
                    Decision{"tags.floor=3.0", true}, Decision{"tags.floor = 0x3", true},
                    Decision{"tags.floor = '3'", false}, Decision{"tags.floor != '3'", false},
                    Decision{"tags.floor > 2", true}, Decision{"tags.floor >= 3", true},
                    Decision{"tags.floor < 3", false}, Decision{"tags.floor <= 2", false},
                    Decision{"tags.floor > -1", true}, Decision{"tags.ratio = 5e-1", true},
                    Decision{"tags.huge > 4503599627370495", true}, Decision{"tags.flag = true", true},
                    Decision{"tags.flag != FALSE", true}, Decision{"tags.flag > false", false},
                    Decision{"tags.flag", true}, Decision{"capabilities.iotEdge", false},
                    Decision{"capabilities.iotEdge = false", true},
                    Decision{"properties.reported.t = properties.desired.t", true},
                    Decision{"properties.desired.$version = 4", true},
                    Decision{"lastActivityTime < '2026-11-24T10:00:00Z'", true},
                    Decision{"tags.location = tags.location", false}));  // objects have no order

INSTANTIATE_TEST_SUITE_P(
    WhatIsUndefined, Conditions,
    testing::Values(Decision{"tags.none = 1", false}, Decision{"tags.none != 1", false},
                    Decision{"NOT tags.none = 1", false}, Decision{"tags.none = tags.none", false},
                    Decision{"tags.none < 1 OR tags.floor = 3", true},
                    Decision{"tags.none < 1 AND tags.floor = 3", false},
                    Decision{"NOT (tags.none = 1 AND tags.floor = 4)", true},
                    Decision{"NOT (tags.none = 1 OR tags.floor = 4)", false},
                    Decision{"tags.floor.below = 1", false}, Decision{"undefined = undefined", false},
                    Decision{"statusReason = null", true}, Decision{"statusReason != null", false},
                    Decision{"tags.floor != null", true}, Decision{"tags.none = null", false},
                    Decision{"tags.site", false}, Decision{"NOT tags.site", false},
                    Decision{"tags.none IN [1]", false}, Decision{"tags.none NOT IN [1]", false}));

INSTANTIATE_TEST_SUITE_P(Logic, Conditions,
                         testing::Values(Decision{"true OR true AND false", true},
                                         Decision{"(true OR true) AND false", false},
                                         Decision{"NOT false AND false", false},
                                         Decision{"not not true", true},
                                         Decision{"tags.floor = 3 and Not status = 'disabled'", true},
                                         Decision{"false OR false OR false OR true", true}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Conditions,
    testing::Values(
        Decision{"IS_DEFINED(tags.floor)", true}, Decision{"is_defined(tags.none)", false},
        Decision{"NOT IS_DEFINED(tags.none)", true}, Decision{"IS_DEFINED(tags.floor) = true", true},
        Decision{"STARTSWITH(deviceId, 'Temp')", true}, Decision{"startsWith(deviceId,'temp')", false},
        Decision{"STARTS_WITH(deviceId, '')", true}, Decision{"STARTSWITH(tags.floor, '3')", false},
        Decision{"ENDSWITH(deviceId, 'sor')", true}, Decision{"CONTAINS(deviceId, 'pSe')", true},
        Decision{"CONTAINS(deviceId, 'xyz')", false},
        Decision{"ARRAY_CONTAINS(parentScopes, 'ms-azure-iot-edge://e-1')", true},
        Decision{"ARRAY_CONTAINS(parentScopes, deviceScope)", true},
        Decision{"ARRAY_CONTAINS(tags.list, 7.0)", true}, Decision{"ARRAY_CONTAINS(tags.list, null)", true},
        Decision{"ARRAY_CONTAINS(tags.list, 8)", false}, Decision{"ARRAY_CONTAINS(tags.site, 'i')", false},
        Decision{"ARRAY_CONTAINS(['a', 3], tags.floor)", true}, Decision{"IS_STRING(tags.site)", true},
        Decision{"IS_NUMBER(tags.site)", false}, Decision{"IS_BOOL(tags.flag)", true},
        Decision{"IS_NULL(statusReason)", true}, Decision{"IS_OBJECT(tags.location)", true},
        Decision{"IS_ARRAY(tags.list)", true}, Decision{"IS_PRIMITIVE(tags.location)", false}));

INSTANTIATE_TEST_SUITE_P(
    Membership, Conditions,
    testing::Values(Decision{"tags.floor IN [1, 2, 3]", true}, Decision{"tags.floor IN (1, 2)", false},
                    Decision{"tags.floor in ['3']", false}, Decision{"tags.floor NOT IN [1]", true},
                    Decision{"tags.floor NIN [3]", false}, Decision{"NOT tags.floor IN [1]", true},
                    Decision{"tags.location IN [1]", false}));

INSTANTIATE_TEST_SUITE_P(
    Spelling, Conditions,
    testing::Values(Decision{"tags.site = 'it''s'", true}, Decision{"tags.site = 'it\\'s'", true},
                    Decision{"tags.site = \"it's\"", true}, Decision{"tags.site = 'it\\u0027s'", true},
                    Decision{"'\\ud83d\\ude00' = '\xF0\x9F\x98\x80'", true},
                    Decision{"'a\\\\b' = \"a\\\\b\"", true}, Decision{"tags.[[select]] = 'word'", true},
                    Decision{"tags[[select]] = 'word'", true}, Decision{"[[tags]].select = 'word'", true},
                    Decision{"tags['a b'] = 1", true}, Decision{"tags.[[a b]] = 1", true},
                    Decision{"tags.gr\xC3\xB6\xC3\x9F"
                             "e = 2",
                             true},
                    Decision{" \t\r\n tags . floor\n=\n3 ", true}));

struct Refused {
    const char* query;
    const char* position;
    const char* reason;  ///< a part of it
};

class BadQueries : public testing::TestWithParam<Refused> {};

TEST_P(BadQueries, AreRefusedWithPlaceAndReason) {
    const auto query = Query::parse(GetParam().query);
    ASSERT_FALSE(query) << GetParam().query;
    EXPECT_EQ(query.error().code, base::Code::invalid_argument);
    EXPECT_EQ(query.error().thing, std::string("query at position ") + GetParam().position);
    EXPECT_NE(query.error().reason.find(GetParam().reason), std::string::npos) << query.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadQueries,
    testing::Values(Refused{"", "1", "expects SELECT, and finds the end"},
                    Refused{"SELECT", "7", "expects a name"}, Refused{"SELECT *", "9", "expects FROM"},
                    Refused{"DROP TABLE devices", "1", "expects SELECT"},
                    Refused{"SELECT * FROM twins", "15", "no such collection"},
                    Refused{"SELECT * FROM devices.jobs", "15", "no such collection"},
                    Refused{"SELECT * FROM devices; DROP TABLE devices", "22", "the character ;"},
                    Refused{"SELECT * FROM devices ORDER BY deviceId", "23", "expects the end"},
                    Refused{"SELECT * FROM devices WHERE", "28", "expects a value"},
                    Refused{"SELECT * FROM devices WHERE a =", "32", "expects a value"},
                    Refused{"SELECT * FROM devices WHERE a == 1", "32", "expects a value"},
                    Refused{"SELECT * FROM devices WHERE a = 'x", "33", "has no end"},
                    Refused{"SELECT * FROM devices WHERE a = '\\q'", "34", "no escape"},
                    Refused{"SELECT * FROM devices WHERE a = '\\ud800'", "34", "four hex digits"},
                    Refused{"SELECT * FROM devices WHERE a = 1.2.3", "33", "no number"},
                    Refused{"SELECT * FROM devices WHERE a = 1e999", "33", "no number"},
                    Refused{"SELECT * FROM devices WHERE a = 12ab", "33", "no number"},
                    Refused{"SELECT * FROM devices WHERE (a = 1", "35", "expects )"},
                    Refused{"SELECT * FROM devices WHERE a = 1)", "34", "expects the end"},
                    Refused{"SELECT * FROM devices WHERE a = 1 b", "35", "expects the end"},
                    Refused{"SELECT * FROM devices WHERE a = 1 = 2", "35", "expects the end"},
                    Refused{"SELECT * FROM devices WHERE a IN 1", "34", "[ or ("},
                    Refused{"SELECT * FROM devices WHERE a IN []", "35", "expects a value"},
                    Refused{"SELECT * FROM devices WHERE a IN [1)", "36", "a comma or ]"},
                    Refused{"SELECT * FROM devices WHERE a. = 1", "32", "a name after the dot"},
                    Refused{"SELECT * FROM devices WHERE a[0] = 1", "31", "a name in quotes"},
                    Refused{"SELECT * FROM devices WHERE [[a = 1", "29", "has no end"},
                    Refused{"SELECT * FROM devices WHERE [[]] = 1", "29", "is empty"},
                    Refused{"SELECT * FROM devices WHERE LOWER(a) = 'x'", "29", "no function"},
                    Refused{"SELECT * FROM devices WHERE IS_DEFINED(a, b)", "29", "takes 1 arguments, not 2"},
                    Refused{"SELECT * FROM devices WHERE STARTSWITH(a)", "29", "takes 2 arguments, not 1"},
                    Refused{"SELECT * FROM devices WHERE select = 1", "29", "a word of the language"},
                    Refused{"SELECT * FROM devices WHERE a - 1 = 1", "31", "the character -"},
                    Refused{"SELECT TOP 0 * FROM devices", "12", "a number from 1"},
                    Refused{"SELECT a, b.a FROM devices", "11", "two columns a"},
                    Refused{"SELECT a AS x, b AS x FROM devices", "16", "two columns x"},
                    Refused{"SELECT LOWER(a) FROM devices", "8", "cannot be selected"},
                    Refused{"SELECT a, COUNT() AS n FROM devices", "1", "neither grouped nor counted"},
                    Refused{"SELECT * FROM devices GROUP BY a", "1", "no groups"},
                    Refused{"SELECT * FROM devices WHERE a = '\xff'", "1", "not UTF-8"}));

TEST(Query, IsBoundedInLengthAndDepth) {
    const auto nested = [](std::size_t depth) {
        return "SELECT * FROM devices WHERE " + std::string(depth, '(') + "true" + std::string(depth, ')');
    };
    EXPECT_TRUE(Query::parse(nested(30)));
    EXPECT_FALSE(Query::parse(nested(33)));
    EXPECT_FALSE(Query::parse(nested(4000)));
    std::string negations = "SELECT * FROM devices WHERE ";
    for (int i = 0; i < 1500; ++i) negations += "NOT ";
    EXPECT_FALSE(Query::parse(negations + "true"));
    std::string chain = "SELECT * FROM devices WHERE a = 0";
    while (chain.size() < Query::longest - 20) chain += " OR a = 1";
    EXPECT_TRUE(Query::parse(chain)) << "a long chain is not deep";
    const auto too_long = Query::parse("SELECT * FROM devices" + std::string(Query::longest, ' '));
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().thing, "query at position 8193");
}

TEST(Query, KnowsWhatIsAskedFor) {
    const auto all = Query::parse("select * from Devices");
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->selects_all());
    EXPECT_FALSE(all->aggregates());
    EXPECT_EQ(all->source(), QuerySource::devices);
    EXPECT_EQ(all->top(), std::nullopt);
    const auto modules =
        Query::parse("SELECT TOP 7 moduleId FROM devices.modules WHERE moduleId = '$edgeHub'");
    ASSERT_TRUE(modules);
    EXPECT_FALSE(modules->selects_all());
    EXPECT_EQ(modules->source(), QuerySource::modules);
    EXPECT_EQ(modules->top(), 7U);
    EXPECT_TRUE(Query::parse("SELECT COUNT() AS n FROM devices")->counts_everything());
    EXPECT_FALSE(Query::parse("SELECT COUNT() AS n FROM devices WHERE true")->counts_everything());
    EXPECT_FALSE(
        Query::parse("SELECT status, COUNT() AS n FROM devices GROUP BY status")->counts_everything());
}

TEST(Query, ProjectsWhatIsDefinedUnderItsName) {
    const auto row = [](const char* query) {
        const auto parsed = Query::parse(query);
        return parsed ? json::serialize(parsed->project(twin())) : parsed.error().text();
    };
    EXPECT_EQ(row("SELECT DeviceID, tags.location.plant FROM devices"),
              R"({"DeviceID":"TempSensor","plant":"Redmond43"})");
    EXPECT_EQ(row("SELECT tags.location AS [[where]], tags.none, statusReason FROM devices"),
              R"({"where":{"plant":"Redmond43"},"statusReason":null})");
}

struct Span {
    const char* condition;
    const char* first;
    const char* last;
};

TEST(Query, NarrowsTheIdsThatCanMatch) {
    const std::vector<Span> cases{
        {"deviceId = 'b'", "b", "b"},
        {"'b' = deviceId AND tags.x = 1", "b", "b"},
        {"STARTSWITH(deviceId, 'dev')", "dev", "dev\x7f"},
        {"deviceId IN ['c', 'a', 'b']", "a", "c"},
        {"deviceId >= 'a' AND deviceId < 'c'", "a", "c"},
        {"'a' < deviceId", "a", ""},
        {"deviceId = 'b' OR tags.x = 1", "", ""},
        {"NOT deviceId = 'b'", "", ""},
        {"deviceId != 'b'", "", ""},
        {"deviceId NOT IN ['b']", "", ""},
        {"moduleId = 'b'", "", ""},
        {"deviceId IN [tags.x, 'a']", "", ""},
    };
    for (const auto& [condition, first, last] : cases) {
        const auto query = Query::parse(std::string("SELECT * FROM devices WHERE ") + condition);
        ASSERT_TRUE(query) << condition;
        EXPECT_EQ(query->ids().first, first) << condition;
        EXPECT_EQ(query->ids().last, last) << condition;
    }
    EXPECT_TRUE(Query::parse("SELECT * FROM devices WHERE deviceId = 'a' AND deviceId = 'b'")->ids().empty());
}

json::array grouped(const char* text, const std::vector<const char*>& twins) {
    const auto query = Query::parse(text);
    if (!query) return {json::string(query.error().text())};
    QueryGroups groups(*query);
    for (const auto* one : twins) {
        const auto document = json::parse(one).get_object();
        if (query->matches(document) && !groups.add(document)) return {"refused"};
    }
    return groups.rows();
}

TEST(QueryGroups, CountAndMeasureEachGroup) {
    const std::vector<const char*> twins{R"({"tags":{"s":"a","t":1}})", R"({"tags":{"s":"b","t":2.5}})",
                                         R"({"tags":{"s":"a","t":3}})", R"({"tags":{"t":"x"}})"};
    EXPECT_EQ(
        json::serialize(grouped("SELECT tags.s AS s, COUNT() AS n, SUM(tags.t) AS total, AVG(tags.t) AS "
                                "mean, MIN(tags.t) AS low, MAX(tags.t) AS high FROM devices WHERE "
                                "IS_DEFINED(tags.s) GROUP BY tags.s",
                                twins)),
        R"([{"s":"a","n":2,"total":4E0,"mean":2E0,"low":1,"high":3},)"
        R"({"s":"b","n":1,"total":2.5E0,"mean":2.5E0,"low":2.5E0,"high":2.5E0}])");
    EXPECT_EQ(json::serialize(grouped("SELECT COUNT() AS n FROM devices WHERE tags.t > 1", twins)),
              R"([{"n":2}])");
    EXPECT_EQ(json::serialize(grouped("SELECT count(*) FROM devices", twins)), R"([{"$1":4}])");
    EXPECT_EQ(json::serialize(grouped("SELECT COUNT() AS n FROM devices", {})), R"([{"n":0}])");
    EXPECT_EQ(json::serialize(grouped("SELECT tags.s, COUNT() AS n FROM devices GROUP BY tags.s", {})), "[]");
    EXPECT_EQ(grouped("SELECT tags.s, COUNT() AS n FROM devices GROUP BY tags.s", twins).size(), 3U)
        << "undefined is a group of its own";
}

TEST(QueryGroups, AreBoundedInNumber) {
    const auto query = Query::parse("SELECT deviceId, COUNT() AS n FROM devices GROUP BY deviceId");
    QueryGroups groups(*query);
    for (std::size_t i = 0; i < QueryGroups::most; ++i)
        ASSERT_TRUE(groups.add({{"deviceId", std::to_string(i)}}));
    EXPECT_FALSE(groups.add({{"deviceId", "one more"}}));
}

}  // namespace
}  // namespace azure
