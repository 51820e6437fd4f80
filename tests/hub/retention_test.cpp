// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <future>

#include "hub/telemetry.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace {

using hub::Retention;
using hub::Telemetry;
using std::chrono::days;
using std::chrono::hours;
using Sizes = std::vector<store::SegmentLog::SegmentSize>;

TEST(KeepBySize, DropsTheOldestUntilTheRestFits) {
    const Sizes segments{{0, 100}, {10, 100}, {20, 100}, {30, 50}};
    EXPECT_EQ(hub::keep_by_size(segments, 1000), 0U);
    EXPECT_EQ(hub::keep_by_size(segments, 350), 0U);
    EXPECT_EQ(hub::keep_by_size(segments, 349), 10U);
    EXPECT_EQ(hub::keep_by_size(segments, 150), 20U);
    EXPECT_EQ(hub::keep_by_size(segments, 149), 30U);
    EXPECT_EQ(hub::keep_by_size(segments, 1), 30U) << "the last one always stays";
    EXPECT_EQ(hub::keep_by_size(Sizes{}, 1), 0U);
}

struct RetentionTest : testing::Test {
    support::TemporaryDirectory directory;
    base::Instant now = support::test_time();

    std::unique_ptr<Telemetry> open(const Retention& retention = {}) {
        return Telemetry::open(directory.path(), retention).value();
    }
    void append(Telemetry& telemetry, base::Instant when, std::size_t octets = 10) {
        azure::Message message;
        message.body = base::Bytes(octets, std::byte{'x'});
        const hub::Sender sender{{"TempSensor", {}}, "1", "{}"};
        std::promise<base::Result<std::uint64_t>> done;
        telemetry.append(hub::make_event(sender, std::move(message), when),
                         [&](base::Result<std::uint64_t> stored) { done.set_value(std::move(stored)); });
        ASSERT_TRUE(done.get_future().get());
    }
};

TEST_F(RetentionTest, KeepsWhatIsYoungAndForgetsWhatIsOld) {
    const auto telemetry = open();
    const Retention week{.age = days(7), .bytes = 0};
    for (int day = 0; day < 20; ++day) {
        append(*telemetry, now + days(day));
        ASSERT_TRUE(telemetry->expire(week, now + days(day)));
    }
    const auto kept = telemetry->read(0, 100, 1 << 20).value();
    ASSERT_FALSE(kept.empty());
    EXPECT_EQ(kept.back().offset, 19U);
    // Seven days, and the part of one that a segment spans.
    EXPECT_GE(kept.size(), 7U);
    EXPECT_LE(kept.size(), 9U);
    EXPECT_EQ(kept.front().offset, telemetry->first());
}

TEST_F(RetentionTest, AQuietHubForgetsItsLastMessageToo) {
    const Retention week{.age = days(7), .bytes = 0};
    {
        const auto telemetry = open();
        append(*telemetry, now);
        EXPECT_EQ(telemetry->expire(week, now + days(7)).value(), 0U) << "not yet";
        EXPECT_EQ(telemetry->expire(week, now + days(7) + hours(1)).value(), 1U);
        EXPECT_TRUE(telemetry->read(0, 10, 1000).value().empty());
    }
    const auto telemetry = open();
    EXPECT_EQ(telemetry->next(), 1U) << "no offset is given twice";
    append(*telemetry, now + days(8));
    EXPECT_EQ(telemetry->read(0, 10, 1000).value().front().offset, 1U);
}

TEST_F(RetentionTest, KeepsEverythingWhereNothingIsAsked) {
    const auto telemetry = open();
    append(*telemetry, now);
    EXPECT_EQ(telemetry->expire({.age = days(0), .bytes = 0}, now + days(4000)).value(), 0U);
    EXPECT_EQ(telemetry->read(0, 10, 1000).value().size(), 1U);
}

TEST_F(RetentionTest, StaysBelowItsBytes) {
    const Retention small{.age = days(0), .bytes = 1024 * 1024};
    const auto telemetry = open(small);
    for (int i = 0; i < 60; ++i) append(*telemetry, now, 100 * 1024);
    EXPECT_GT(telemetry->expire(small, now).value(), 40U);
    std::uintmax_t octets = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory.path())) octets += file.file_size();
    EXPECT_LE(octets, 1024U * 1024U);
    EXPECT_GT(octets, 512U * 1024U) << "no more is dropped than must be";
    EXPECT_EQ(telemetry->next(), 60U);
}

}  // namespace
