// SPDX-License-Identifier: Apache-2.0
#include "edge/config_difference.hpp"

#include <gtest/gtest.h>

namespace {

using edge::Service;

std::vector<std::string> lines(const std::string& before, const std::string& after) {
    std::vector<std::string> out;
    for (const auto& each : edge::differences({{Service::keys, before}}, {{Service::keys, after}}))
        out.push_back(each.key + ": " + each.before.value_or("-") + " -> " + each.after.value_or("-"));
    return out;
}

using Lines = std::vector<std::string>;

TEST(Differences, AreToldKeyByKey) {
    EXPECT_EQ(
        lines("a = \"x\"\nb = 1\nc = true\n[t]\nd = [\"p\", \"q\"]\n",
              "a = \"y\"\nb = 2\nc = false\n[t]\nd = [\"p\"]\n"),
        (Lines{"a: \"x\" -> \"y\"", "b: 1 -> 2", "c: true -> false", "t.d: [\"p\", \"q\"] -> [\"p\"]"}));
    EXPECT_EQ(lines("a = 1\n", "b = 1\n"), (Lines{"a: 1 -> -", "b: - -> 1"}));
    EXPECT_EQ(lines("", "a = 1\n"), Lines{"a: - -> 1"});
    EXPECT_EQ(lines("a = 1\n[t]\nb = \"c\"\n", "a = 1\n[t]\nb = \"c\"\n"), Lines{});
}

TEST(Differences, TellTablesOfAnArrayApartByTheirNames) {
    const std::string a = "[[principal]]\nname = \"a\"\nuid = 1\n",
                      b = "[[principal]]\nname = \"b\"\nuid = 2\n";
    EXPECT_EQ(lines(a + b, b + a), Lines{});
    EXPECT_EQ(lines(a + b, b), (Lines{"principal[a].name: \"a\" -> -", "principal[a].uid: 1 -> -"}));
    const std::string rule = "[[principal]]\nuid = 5\nkeys = [\"k\"]\n",
                      other = "[[principal]]\nuid = 5\nkeys = [\"l\"]\n";
    EXPECT_EQ(lines(rule, rule + other), (Lines{"principal[uid 5].keys: [\"k\"] -> [\"k\"] and [\"l\"]",
                                                "principal[uid 5].uid: 5 -> 5 and 5"}));
}

TEST(Differences, ShowNoPin) {
    const auto found = lines("", "k = \"pkcs11:token=t;object=o?pin-value=1234&x=y\"\n");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], "k: - -> \"pkcs11:token=t;object=o?pin-value=(hidden)&x=y\"");
}

TEST(Differences, TellThatAPasswordHasChangedAndNotWhatItIs) {
    EXPECT_EQ(lines("[cert_issuance.est]\npassword = \"a\"\n", "[cert_issuance.est]\npassword = \"b\"\n"),
              Lines{"cert_issuance.est.password: (hidden) -> (hidden)"});
    EXPECT_EQ(lines("", "password = \"b\"\n"), Lines{"password: - -> (hidden)"});
}

TEST(Differences, TakeADamagedFileForAnEmptyOne) {
    EXPECT_EQ(lines("a = = 1", "a = 1\n"), Lines{"a: - -> 1"});
}

}  // namespace
