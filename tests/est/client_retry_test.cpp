// SPDX-License-Identifier: Apache-2.0
#include "est/client_retry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/certificates.hpp"

namespace {

using est::Failure;
using Kind = est::Failure::Kind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(RetryAfter, IsReadInEveryForm) {
    const auto now = support::test_time();
    const std::pair<std::optional<std::string_view>, seconds> rows[] = {
        {std::nullopt, seconds(60)},
        {"120", seconds(120)},
        {"0", seconds(1)},
        {"-1", seconds(60)},
        {"1000000000000", hours(24)},
        {"99999999999999999999999999", hours(24)},
        {"", seconds(60)},
        {"soon", seconds(60)},
        {"12 s", seconds(60)},
        {"Wed, 25 Nov 2026 10:05:00 GMT", minutes(5)},
        {"Wed, 25 Nov 2026 09:00:00 GMT", seconds(1)},
        {"Fri, 25 Nov 2033 10:00:00 GMT", hours(24)},
    };
    for (const auto& [field, expected] : rows)
        EXPECT_EQ(est::retry_after(field, now), expected) << field.value_or("(absent)");
}

TEST(RetryPause, ObeysTheServerAndAddsAtMostATenth) {
    for (const auto kind : {Kind::pending, Kind::busy})
        for (const int failures : {1, 7, 1000})
            for (const double random : {0.0, 0.5, 0.999}) {
                Failure failure{kind, {}, seconds(600)};
                const auto pause = est::pause_after(failure, failures, random);
                EXPECT_GE(pause, seconds(600));
                EXPECT_LE(pause, seconds(661));
            }
}

TEST(RetryPause, OfAnUnreachableServerDoublesToAQuarterOfAnHour) {
    const Failure failure{Kind::unreachable, {}};
    EXPECT_EQ(est::pause_after(failure, 1, 0.999), seconds(4));
    EXPECT_EQ(est::pause_after(failure, 3, 0.5), seconds(10));
    EXPECT_EQ(est::pause_after(failure, 1000, 0.999), seconds(899));
    EXPECT_EQ(est::pause_after(failure, 1000, 0.0), seconds(1));
}

TEST(RetryPause, OfARefusalDoublesToAnHour) {
    const Failure failure{Kind::refused, {}};
    EXPECT_EQ(est::pause_after(failure, 1, 0.0), seconds(48));
    EXPECT_LE(est::pause_after(failure, 1, 0.999), seconds(60));
    EXPECT_GE(est::pause_after(failure, 100, 0.0), minutes(48));
    EXPECT_LE(est::pause_after(failure, 100, 0.999), hours(1));
}

// est-and-pki.md test 73: a thousand clients that were all told 503 at the same moment.
TEST(RetryPause, SpreadsAFleet) {
    std::map<seconds, int> at;
    const Failure failure{Kind::busy, {}, seconds(200)};
    for (int client = 0; client < 1000; ++client) ++at[est::pause_after(failure, 1, client / 1000.0)];
    for (const auto& [when, how_many] : at) {
        EXPECT_GE(when, seconds(200));
        EXPECT_LE(how_many, 60) << when.count();
    }
    EXPECT_GE(at.size(), 20U);
}

TEST(Failure, KindsHaveWords) {
    for (const auto kind : {Kind::pending, Kind::busy, Kind::unreachable, Kind::refused, Kind::rejected})
        EXPECT_EQ(est::parse_failure(est::to_string(kind)), kind);
    EXPECT_FALSE(est::parse_failure("other"));
}

}  // namespace
