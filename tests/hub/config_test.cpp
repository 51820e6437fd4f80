// SPDX-License-Identifier: Apache-2.0
#include "hub/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/temporary_directory.hpp"

namespace {

using testing::HasSubstr;

base::Result<hub::Config> read(const std::string& tables) {
    const support::TemporaryDirectory directory;
    const auto text = hub::initial_config({"ContosoIotHub"}, {}, "hub.pem", "hub.key") + tables;
    EXPECT_TRUE(base::write_atomically(directory / "hub.toml", text, base::secret_mode));
    return hub::read_config(directory.path(), {}, {});
}

hub::Rate rate(const hub::Config& config, hub::Operation operation) {
    return config.throttle[static_cast<std::size_t>(operation)];
}

TEST(HubConfig, KeepsAWeekOfMessagesAndLimitsNothingUnlessAsked) {
    const auto config = read("");
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->retention.age, std::chrono::days(7));
    EXPECT_EQ(config->retention.bytes, 0U);
    for (const auto& one : config->throttle) EXPECT_EQ(one.count, 0U);
    EXPECT_FALSE(config->events.lifecycle || config->events.connection_state || config->events.twin_changes);
}

TEST(HubConfig, ReadsRetentionThrottleEventsAndExplain) {
    const auto config = read(
        "[messages]\nretention_days = 0\nretention_bytes = 2097152\n"
        "[throttle]\nqueries_per_minute = 20\nconnects_per_second = 100\n"
        "[events]\nlifecycle = true\ntwin_changes = true\n"
        "[explain]\ncount = 5000\ndays = 2\n");
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->retention.age.count(), 0);
    EXPECT_EQ(config->retention.bytes, 2097152U);
    EXPECT_EQ(rate(*config, hub::Operation::queries).count, 20U);
    EXPECT_EQ(rate(*config, hub::Operation::queries).period, std::chrono::seconds(60));
    EXPECT_EQ(rate(*config, hub::Operation::connects).count, 100U);
    EXPECT_EQ(rate(*config, hub::Operation::connects).period, std::chrono::seconds(1));
    EXPECT_TRUE(config->events.lifecycle);
    EXPECT_FALSE(config->events.connection_state);
    EXPECT_TRUE(config->events.twin_changes);
    EXPECT_EQ(config->explain.count, 5000U);
    EXPECT_EQ(config->explain.age, std::chrono::days(2));
}

TEST(HubConfig, TellsEverythingThatIsWrongAtOnce) {
    const auto config = read(
        "[messages]\nretention_days = -1\nretention_bytes = 100\n"
        "[throttle]\nquery_per_minute = 20\n"
        "[events]\nlifecycle = 1\n"
        "[explain]\ncount = 1\n");
    ASSERT_FALSE(config);
    for (const auto* wrong : {"retention_days", "retention_bytes", "query_per_minute", "queries_per_minute",
                              "lifecycle", "count"})
        EXPECT_THAT(config.error().text(), HasSubstr(wrong));
}

}  // namespace
