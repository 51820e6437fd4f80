// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gtest/gtest.h>
// gtest.h first: rapidcheck's adapter needs it.
#include <rapidcheck.h>

#include <cstdint>
#include <string>

namespace {

using std::chrono::seconds;

base::Instant at(std::int64_t since_epoch) {
    return base::Instant{seconds{since_epoch}};
}

TEST(Clock, FormatsKnownMoments) {
    // date -u -d @1795600800
    EXPECT_EQ(base::format_rfc3339(at(1795600800)), "2026-11-25T10:00:00Z");
    EXPECT_EQ(base::format_rfc3339(at(0)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(base::format_rfc3339(at(-1)), "1969-12-31T23:59:59Z");
    EXPECT_EQ(base::format_rfc1123(at(1795600800)), "Wed, 25 Nov 2026 10:00:00 GMT");
    EXPECT_EQ(base::format_rfc3339_ms(
                  std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{1007}}),
              "1970-01-01T00:00:01.007Z");
    EXPECT_EQ(base::format_rfc3339_ms(
                  std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{-1}}),
              "1969-12-31T23:59:59.999Z");
}

TEST(Clock, ReadsOffsetsFractionsAndLeapDays) {
    const auto same = at(1795600800);
    for (const auto* text :
         {"2026-11-25T10:00:00Z", "2026-11-25t10:00:00z", "2026-11-25 10:00:00Z", "2026-11-25T11:30:00+01:30",
          "2026-11-25T02:00:00-08:00", "2026-11-25T10:00:00.999Z", "2026-11-25T10:00:00.1+00:00"})
        EXPECT_EQ(base::parse_rfc3339(text).value_or(at(0)), same) << text;
    EXPECT_EQ(base::format_rfc3339(base::parse_rfc3339("2028-02-29T00:00:00Z").value()),
              "2028-02-29T00:00:00Z");
    EXPECT_EQ(base::format_rfc3339(base::parse_rfc3339("2016-12-31T23:59:60Z").value()),
              "2017-01-01T00:00:00Z");
}

TEST(Clock, RefusesWhatIsNoTime) {
    for (const auto* text : {"",
                             "2026",
                             "2026-11-25",
                             "2026-11-25T10:00:00",
                             "2026-13-01T00:00:00Z",
                             "2026-02-29T00:00:00Z",
                             "2026-00-10T00:00:00Z",
                             "2026-11-31T00:00:00Z",
                             "2026-11-25T24:00:00Z",
                             "2026-11-25T10:60:00Z",
                             "2026-11-25T10:00:61Z",
                             "2026-11-25T10:00:00.Z",
                             "2026-11-25T10:00:00.",
                             "2026-11-25T10:00:00+1:00",
                             "2026-11-25T10:00:00+01",
                             "2026-11-25T10:00:00+0100",
                             "2026-11-25T10:00:00+",
                             "2026-11-25T10:00:00Zx",
                             "2026-11-25X10:00:00Z",
                             "2026/11/25T10:00:00Z",
                             "+026-11-25T10:00:00Z",
                             "2026-11-25T10:00:00+24:00"}) {
        const auto parsed = base::parse_rfc3339(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, base::Code::malformed);
    }
}

TEST(Clock, EveryTruncationIsRefused) {
    const std::string whole = "2026-11-25T10:00:00.5+01:30";
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(base::parse_rfc3339(whole.substr(0, size))) << size;
}

TEST(Clock, ReadsWhatItWrites) {
    EXPECT_TRUE(rc::check("years 0 to 9999", [] {
        const auto when = at(*rc::gen::inRange<std::int64_t>(-62167219200, 253402300800));
        RC_ASSERT(base::parse_rfc3339(base::format_rfc3339(when)).value() == when);
    }));
}

TEST(Clock, SaysDurationsInTheirLargestUnit) {
    EXPECT_EQ(base::format_duration(seconds{0}), "0 seconds");
    EXPECT_EQ(base::format_duration(seconds{1}), "1 second");
    EXPECT_EQ(base::format_duration(seconds{-61}), "1 minute");
    EXPECT_EQ(base::format_duration(seconds{7200}), "2 hours");
    EXPECT_EQ(base::format_duration(std::chrono::days{3}), "3 days");
}

TEST(Clock, TheSystemClockRuns) {
    const auto before = base::system_clock().now();
    EXPECT_GT(before, at(1700000000));
    EXPECT_GE(base::system_clock().now_ms(), before);
}

}  // namespace
