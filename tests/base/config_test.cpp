// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/file.hpp"
#include "support/temporary_directory.hpp"

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

base::ConfigTable parse(std::string_view text) {
    auto table = base::ConfigTable::parse(text, "config.toml");
    EXPECT_TRUE(table) << table.error().text();
    return table ? *std::move(table) : base::ConfigTable::empty("config.toml");
}

TEST(Config, ReadsEachType) {
    auto table = parse(R"(
hostname = "edgegateway.local"
port = 8883
edge = true
names = ["a", "b"]
[provisioning]
source = "manual"
[[principal]]
name = "edgeHub"
[[principal]]
name = "other"
)");
    EXPECT_EQ(table.string("hostname"), "edgegateway.local");
    EXPECT_EQ(table.integer("port", 0, 65535), 8883);
    EXPECT_EQ(table.boolean("edge"), true);
    EXPECT_THAT(table.strings("names").value(), ElementsAre("a", "b"));
    auto provisioning = table.table("provisioning").value();
    EXPECT_EQ(provisioning.path(), "provisioning");
    EXPECT_EQ(provisioning.string("source"), "manual");
    auto principals = table.tables("principal");
    ASSERT_EQ(principals.size(), 2U);
    EXPECT_EQ(principals[0].string("name"), "edgeHub");
    EXPECT_EQ(principals[1].string("name"), "other");
    EXPECT_FALSE(table.string("absent"));
    EXPECT_FALSE(table.table("absent"));
    EXPECT_TRUE(table.tables("absents").empty());
    EXPECT_TRUE(table.finish());
}

TEST(Config, SuggestsTheNearestKnownKey) {
    auto table = parse("hostnam = \"x\"\n\n[provisioning]\nsource = \"manual\"\niothub_hostnmae = \"y\"\n");
    table.string("hostname");
    auto provisioning = table.table("provisioning").value();
    provisioning.string("source");
    provisioning.string("iothub_hostname");
    const auto done = table.finish();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, base::Code::invalid_argument);
    EXPECT_THAT(done.error().text(),
                HasSubstr("config.toml line 1: hostnam is not a known key: did you mean hostname?"));
    EXPECT_THAT(done.error().text(),
                HasSubstr("config.toml line 5: provisioning.iothub_hostnmae is not a known key: "
                          "did you mean iothub_hostname?"));
}

TEST(Config, SaysNothingNearForAStranger) {
    auto table = parse("zebra = 1\n");
    table.string("hostname");
    EXPECT_THAT(table.finish().error().text(),
                AllOf(HasSubstr("zebra is not a known key"), Not(HasSubstr("did you mean"))));
}

TEST(Config, ReportsAWholeTableThatNobodyAskedForOnce) {
    auto table = parse("[moby]\na = 1\nb = 2\n");
    table.known("agent");
    const auto text = table.finish().error().text();
    EXPECT_THAT(text, HasSubstr("moby is not a known key"));
    EXPECT_THAT(text, Not(HasSubstr("moby.a")));
}

TEST(Config, ReportsUnknownKeysInsideArraysOfTables) {
    auto table = parse("[[principal]]\nname = \"a\"\n[[principal]]\nnane = \"b\"\n");
    for (auto& principal : table.tables("principal")) principal.string("name");
    EXPECT_THAT(table.finish().error().text(),
                HasSubstr("line 4: principal[1].nane is not a known key: did you mean name?"));
}

TEST(Config, ReportsEveryWrongTypeAndBoundAtOnce) {
    auto table = parse("a = 1\nb = \"x\"\nc = 70000\nd = [1]\ne = 1.5\nf = 1\ng = [1]\n");
    EXPECT_FALSE(table.string("a"));
    EXPECT_FALSE(table.integer("b", 0, 1));
    EXPECT_FALSE(table.integer("c", 1, 65535));
    EXPECT_FALSE(table.strings("d"));
    EXPECT_FALSE(table.boolean("e"));
    EXPECT_FALSE(table.table("f"));
    EXPECT_TRUE(table.tables("g").empty());
    const auto text = table.finish().error().text();
    for (const auto* part :
         {"line 1: a is an integer and must be a string", "line 2: b is a string and must be an integer",
          "line 3: c is 70000 and must be from 1 to 65535", "line 4: d must be an array of strings",
          "line 5: e is a number and must be true or false", "line 6: f is an integer and must be a table",
          "line 7: g must be an array of tables"})
        EXPECT_THAT(text, HasSubstr(part));
}

TEST(Config, CarriesComplaintsOfItsReader) {
    auto table = parse("[cert]\npk = \"http://x\"\n");
    auto cert = table.table("cert").value();
    cert.string("pk");
    cert.complain("pk", "is not a file URI", "write file:///path");
    cert.complain("method", "is missing");
    const auto text = table.finish().error().text();
    EXPECT_THAT(text, HasSubstr("config.toml line 2: cert.pk is not a file URI: write file:///path"));
    EXPECT_THAT(text, HasSubstr("cert.method is missing"));
}

TEST(Config, MergesTablesJoinsArraysReplacesScalars) {
    auto table =
        parse("hostname = \"old\"\n[a]\nx = 1\ny = 1\n[a.deep]\nk = \"1\"\n[[principal]]\nname = \"p1\"\n");
    table.merge(parse(
        "hostname = \"new\"\nadded = true\n[a]\ny = 2\n[a.deep]\nl = \"2\"\n[[principal]]\nname = \"p2\"\n"));
    EXPECT_EQ(table.string("hostname"), "new");
    EXPECT_EQ(table.boolean("added"), true);
    auto a = table.table("a").value();
    EXPECT_EQ(a.integer("x", 0, 9), 1);
    EXPECT_EQ(a.integer("y", 0, 9), 2);
    auto deep = a.table("deep").value();
    EXPECT_EQ(deep.string("k"), "1");
    EXPECT_EQ(deep.string("l"), "2");
    std::vector<std::string> names;
    for (auto& each : table.tables("principal")) names.push_back(each.string("name").value_or(""));
    EXPECT_THAT(names, ElementsAre("p1", "p2"));
    EXPECT_TRUE(table.finish());
}

TEST(Config, NamesTheFileOfAMergedKey) {
    auto table = parse("a = 1\n");
    table.merge(base::ConfigTable::parse("\nbb = 1\n[t]\nx = 1\n", "config.d/10-more.toml").value());
    table.integer("a", 0, 9);
    auto t = table.table("t").value();
    t.string("x");
    const auto text = table.finish().error().text();
    EXPECT_THAT(text, HasSubstr("config.d/10-more.toml line 2: bb is not a known key"));
    EXPECT_THAT(text, HasSubstr("config.d/10-more.toml line 4: t.x is an integer"));
}

TEST(Config, KnowsFreeAndForeignKeys) {
    auto table = parse("foreign = 1\n[preloaded_keys]\nb = \"file:///b\"\na = \"file:///a\"\n");
    EXPECT_TRUE(table.known("foreign"));
    EXPECT_FALSE(table.known("absent"));
    auto keys = table.table("preloaded_keys").value();
    EXPECT_THAT(keys.keys(), ElementsAre("a", "b"));
    for (const auto& key : keys.keys()) keys.string(key);
    EXPECT_TRUE(table.finish());
}

TEST(Config, AnEmptyDocumentHasNothing) {
    auto table = base::ConfigTable::empty("hub.toml");
    EXPECT_FALSE(table.string("names"));
    EXPECT_TRUE(table.finish());
    auto blank = parse("");
    EXPECT_TRUE(blank.finish());
}

struct Bad {
    std::string text;
    std::string reason;
};

class BadToml : public testing::TestWithParam<Bad> {};

TEST_P(BadToml, IsRefusedWithTheReasonOnOneLine) {
    const auto parsed = base::ConfigTable::parse(GetParam().text, "config.toml");
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().text(), HasSubstr("configuration config.toml"));
    EXPECT_THAT(parsed.error().text(), HasSubstr(GetParam().reason));
    EXPECT_THAT(parsed.error().text(), Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(Texts, BadToml,
                         testing::Values(Bad{"a = \n", "is not TOML, line 1"},
                                         Bad{"a = 1\nb = = 2\n", "line 2"}, Bad{"[a\n", "line 1"},
                                         Bad{"a = \"x\n", "line 1"}, Bad{"a = 1\na = 2\n", "is not TOML"},
                                         Bad{"\xcb\x8e\xff", "is not UTF-8"},
                                         Bad{std::string("a = 1\0", 6), "NUL"},
                                         Bad{"\x5b\x02\x26\x26", "is not TOML"},
                                         Bad{"a = " + std::string(5000, '['), "nests deeper than 64"},
                                         Bad{"a = " + std::string(5000, '{'), "nests deeper than 64"},
                                         Bad{[] {
                                                 std::string dotted = "a";
                                                 for (int i = 0; i < 5000; ++i) dotted += ".a";
                                                 return dotted + " = 1";
                                             }(),
                                             "nests deeper than 64"},
                                         Bad{std::string(1024 * 1024 + 1, '#'), "larger than 1 MiB"}));

TEST(Config, ReadsAFileAndSaysWhichIsMissing) {
    const support::TemporaryDirectory directory;
    const auto file = directory / "hub.toml";
    EXPECT_EQ(base::ConfigTable::read(file).error().code, base::Code::not_found);
    EXPECT_THAT(base::ConfigTable::read(file).error().text(), HasSubstr(file.string()));
    ASSERT_TRUE(
        base::write_atomically(file, std::string_view("names = [\"ContosoIotHub\"]\n"), base::public_mode));
    auto table = base::ConfigTable::read(file).value();
    EXPECT_THAT(table.strings("names").value(), ElementsAre("ContosoIotHub"));
}

}  // namespace
