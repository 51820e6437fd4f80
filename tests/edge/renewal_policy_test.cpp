// SPDX-License-Identifier: Apache-2.0
#include "edge/renewal_policy.hpp"

#include <gtest/gtest.h>

#include "edge/certificate_pair.hpp"

namespace {

using namespace std::chrono_literals;
using edge::RenewalAmount;
using edge::RenewalPolicy;
using std::chrono::days;
using std::chrono::seconds;
using Unit = RenewalAmount::Unit;

const base::Instant begin = base::parse_rfc3339("2026-11-25T10:00:00Z").value();

TEST(RenewalAmount, IsAShareOfALifetimeOrATime) {
    const struct {
        const char* text;
        Unit unit;
        std::int64_t value;
        const char* written;
    } good[] = {{"80%", Unit::percent, 80, "80%"},        {"1%", Unit::percent, 1, "1%"},
                {"99%", Unit::percent, 99, "99%"},        {"90min", Unit::minutes, 90, "90min"},
                {"1440min", Unit::minutes, 1440, "1day"}, {"30day", Unit::minutes, 43200, "30day"}};
    for (const auto& each : good) {
        const auto amount = edge::parse_renewal_amount(each.text);
        ASSERT_TRUE(amount) << each.text;
        EXPECT_EQ(*amount, (RenewalAmount{each.unit, each.value})) << each.text;
        EXPECT_EQ(edge::to_string(*amount), each.written);
    }
    for (const auto* bad : {"", "100%", "0%", "0min", "1year", "-1day", "80 %", "80", "%", "1.5day",
                            "36501day", "99999999999999999999min"})
        EXPECT_FALSE(edge::parse_renewal_amount(bad)) << bad;
}

TEST(RenewalPolicy, SaysFromWhenACertificateIsToBeRenewed) {
    const auto at = [](RenewalAmount threshold, seconds lifetime) {
        RenewalPolicy policy;
        policy.threshold = threshold;
        return edge::renewal_due(policy, {begin, begin + lifetime}) - begin;
    };
    EXPECT_EQ(at({Unit::percent, 80}, days(90)), days(72));
    EXPECT_EQ(at({Unit::percent, 50}, 3s), 2s);
    EXPECT_EQ(at({Unit::minutes, 10 * 1440}, days(90)), days(80));
    EXPECT_EQ(at({Unit::minutes, 100 * 1440}, days(90)), seconds(0));
    EXPECT_EQ(at({Unit::percent, 80}, -days(1)), -days(1)) << "dates that make no sense: at once";
}

TEST(RenewalPolicy, WhatBecomesValidOnlyLaterWasIssuedByAClockThatWasAhead) {
    const edge::Validity validity{begin, begin + days(90)};
    EXPECT_FALSE(edge::is_ahead(validity, begin));
    EXPECT_FALSE(edge::is_ahead(validity, begin - 5min)) << "clocks differ that much";
    EXPECT_TRUE(edge::is_ahead(validity, begin - 6min));
    EXPECT_FALSE(edge::is_ahead(validity, begin + days(91)));
}

TEST(RenewalPolicy, PausesGrowUpToRetryAndAreNeverLongerThanIsLeft) {
    const edge::Validity ninety{begin, begin + days(90)};
    const RenewalPolicy policy;  // retry 4 %: 3.6 days
    const auto pause = [&](int failures, base::Instant now, double random = 1.0) {
        return edge::renewal_pause(policy, ninety, failures, now, random);
    };
    EXPECT_EQ(pause(1, begin + days(72)), 60s);
    EXPECT_EQ(pause(2, begin + days(72)), 120s);
    EXPECT_EQ(pause(5, begin + days(72)), 960s);
    EXPECT_EQ(pause(1000000, begin + days(72)), seconds(days(90)) / 25);
    EXPECT_EQ(pause(1000000, begin + days(89)), 12h) << "half of what is left";
    EXPECT_EQ(pause(1000000, begin + days(90) - 1s), 1s);
    EXPECT_EQ(pause(1000000, begin + days(90)), 15min) << "expired";
    EXPECT_EQ(pause(1, begin + days(72), 0.0), 48s) << "a fifth is left to chance";
    EXPECT_EQ(pause(1, begin + days(72), 0.5), 54s);
}

TEST(RenewalPolicy, PausesAreShortWhereNothingIsInUse) {
    const auto pause = [](int failures) {
        return edge::renewal_pause({}, std::nullopt, failures, begin, 1.0);
    };
    EXPECT_EQ(pause(1), 1s);
    EXPECT_EQ(pause(3), 4s);
    EXPECT_EQ(pause(1000000), 60s);
}

TEST(RenewalPolicy, RetryOfASecondIsTheShortest) {
    RenewalPolicy policy;
    policy.retry = {Unit::percent, 1};
    EXPECT_EQ(edge::renewal_pause(policy, edge::Validity{begin, begin + 20s}, 3, begin, 0.0), 1s);
}

TEST(RenewalPolicy, AllThreeKeysAreRequired) {
    const auto read = [](const std::string& text) {
        auto table = base::ConfigTable::parse(text, "config.toml").value();
        const auto policy = edge::read_renewal(table, "auto_renew");
        return std::pair(policy, table.finish());
    };
    const auto [policy, good] =
        read("[auto_renew]\nrotate_key = false\nthreshold = \"50%\"\nretry = \"10min\"\n");
    ASSERT_TRUE(good) << good.error().text();
    EXPECT_EQ(*policy, (RenewalPolicy{false, {Unit::percent, 50}, {Unit::minutes, 10}}));
    EXPECT_FALSE(read("").first);
    for (const auto* bad : {"[auto_renew]\nthreshold = \"50%\"\nretry = \"10min\"\n",
                            "[auto_renew]\nrotate_key = true\nretry = \"10min\"\n",
                            "[auto_renew]\nrotate_key = true\nthreshold = \"50%\"\n",
                            "[auto_renew]\nrotate_key = true\nthreshold = \"100%\"\nretry = \"10min\"\n"})
        EXPECT_FALSE(read(bad).second) << bad;
}

TEST(PairRepair, FindsTheWholePairOfWhatWasCutOff) {
    using edge::PairRepair;
    const struct {
        edge::PairFacts facts;
        PairRepair repair;
    } table[] = {
        {{}, PairRepair::make},
        {{.certificate = true}, PairRepair::key_lost},
        {{.certificate = true, .in_use = true}, PairRepair::nothing},
        {{.certificate = true, .in_use = true, .next_with_next = true}, PairRepair::nothing},
        {{.certificate = true, .with_next_key = true, .next_with_next = true}, PairRepair::move_key},
        {{.certificate = true, .next_with_key = true}, PairRepair::import_certificate},
        {{.certificate = true, .next_with_next = true}, PairRepair::take_next},
        {{.next_with_next = true}, PairRepair::take_next},
        {{.next_with_key = true}, PairRepair::import_certificate},
    };
    for (const auto& row : table) EXPECT_EQ(edge::repair_of(row.facts), row.repair);
}

}  // namespace
