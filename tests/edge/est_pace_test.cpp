// SPDX-License-Identifier: Apache-2.0
#include "edge/est_pace.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

using edge::EstPace;
using est::Failure;
using Kind = est::Failure::Kind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* here = "https://est.example";
constexpr const char* there = "https://other.example";
constexpr const char* url = "https://est.example/.well-known/est/device";

Failure failure(Kind kind, seconds wait = {}, bool answered = true) {
    return {kind, {base::Code::unavailable, "EST server x", "said no", "do this"}, wait, answered};
}

class Pace : public testing::Test {
  protected:
    support::TemporaryDirectory directory_;
    support::SettableClock clock_;
    EstPace pace_{directory_ / "est", clock_};
};

TEST_F(Pace, RefusalHoldsItsOwnCertificateAlone) {
    EXPECT_TRUE(pace_.allowed("device-id", here));
    const auto told = pace_.failed("device-id", url, here, "csr", failure(Kind::refused));
    EXPECT_EQ(told.code, base::Code::rate_limited);
    EXPECT_NE(told.text().find("EST server x said no; it is not asked again before "), std::string::npos);
    EXPECT_EQ(told.fix, "do this");
    const auto early = pace_.allowed("device-id", here);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, base::Code::rate_limited);
    EXPECT_TRUE(pace_.allowed("aziot-edged-ca", here));
    clock_.move(minutes(1));
    EXPECT_TRUE(pace_.allowed("device-id", here));
}

TEST_F(Pace, ServerThatIsNotThereHoldsAllThatComesFromIt) {
    for (int i = 0; i < 12; ++i)
        pace_.failed("device-id", url, here, "csr", failure(Kind::unreachable, {}, false));
    // What was left to chance may be as short as a second.
    for (int i = 0; i < 20 && pace_.allowed("aziot-edged-ca", here); ++i)
        pace_.failed("device-id", url, here, "csr", failure(Kind::unreachable, {}, false));
    EXPECT_FALSE(pace_.allowed("aziot-edged-ca", here));
    EXPECT_TRUE(pace_.allowed("aziot-edged-ca", there));
    clock_.move(minutes(15));
    EXPECT_TRUE(pace_.allowed("device-id", here));
}

TEST_F(Pace, ServerThatFailsAtOneThingIsAskedForOthers) {
    pace_.failed("device-id", url, here, "csr", failure(Kind::unreachable));
    EXPECT_TRUE(pace_.allowed("aziot-edged-ca", here));
}

TEST_F(Pace, ClockThatWasSetBackHoldsNothing) {
    pace_.failed("device-id", url, here, "csr", failure(Kind::busy, hours(24)));
    EXPECT_FALSE(pace_.allowed("device-id", here));
    clock_.move(-hours(48));
    EXPECT_TRUE(pace_.allowed("device-id", here));
}

TEST_F(Pace, OnlyWhatWaitsForAnOperatorIsHeldAfterARestart) {
    pace_.failed("device-id", url, here, "request 1", failure(Kind::pending, hours(2)));
    pace_.failed("aziot-edged-ca", url, here, "request 2", failure(Kind::refused));
    EXPECT_EQ(pace_.pending("device-id"), "request 1");
    EXPECT_EQ(pace_.pending("aziot-edged-ca"), "");
    const EstPace again(directory_ / "est", clock_);
    EXPECT_EQ(again.pending("device-id"), "request 1");
    EXPECT_FALSE(again.allowed("device-id", here));
    EXPECT_TRUE(again.allowed("aziot-edged-ca", here));
    const auto records = edge::read_est_records(directory_ / "est");
    ASSERT_EQ(records.size(), 2U);
    for (const auto& each : records) {
        EXPECT_EQ(each.url, url);
        EXPECT_EQ(each.why.reason, "said no");
        EXPECT_GT(each.next, each.last);
    }
}

TEST_F(Pace, HeldRequestOutlivesAnOutageAndEndsWithTheDecision) {
    pace_.failed("device-id", url, here, "request", failure(Kind::pending, seconds(1)));
    pace_.failed("device-id", url, here, "request", failure(Kind::unreachable, {}, false));
    EXPECT_EQ(pace_.pending("device-id"), "request");
    EXPECT_EQ(EstPace(directory_ / "est", clock_).pending("device-id"), "request");
    pace_.failed("device-id", url, here, "request", failure(Kind::refused));
    EXPECT_EQ(pace_.pending("device-id"), "");
}

TEST_F(Pace, SuccessForgetsEverything) {
    pace_.failed("device-id", url, here, "request", failure(Kind::pending, hours(1)));
    pace_.succeeded("device-id", here);
    EXPECT_TRUE(pace_.allowed("device-id", here));
    EXPECT_EQ(pace_.pending("device-id"), "");
    EXPECT_FALSE(pace_.reason("device-id"));
    EXPECT_TRUE(edge::read_est_records(directory_ / "est").empty());
}

TEST(EstRecords, ThatAreDamagedAreLeftOut) {
    const support::TemporaryDirectory directory;
    ASSERT_TRUE(base::write_atomically(directory / "a.json", "{\"id\": 1", 0600));
    ASSERT_TRUE(base::write_atomically(directory / "b.json", "[]", 0600));
    EXPECT_TRUE(edge::read_est_records(directory.path()).empty());
    EXPECT_TRUE(edge::read_est_records(directory / "absent").empty());
}

}  // namespace
