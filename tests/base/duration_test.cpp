// SPDX-License-Identifier: Apache-2.0
#include "base/duration.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

TEST(Duration, AddsUpUnitsBehindASign) {
    const std::pair<const char*, std::chrono::seconds> cases[] = {
        {"0", 0s},
        {"90d", 90 * 24h},
        {"-12h", -12h},
        {"1d12h30m5s", 36h + 30min + 5s},
        {"  45s\n", 45s},
        {"+2m", 2min},
        {"-0", 0s},
        {"-20000d", -20000 * 24h},
        {"4294967295s", 4294967295s},
    };
    for (const auto& [text, expected] : cases) {
        const auto read = base::parse_duration(text);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(*read, expected) << text;
    }
}

TEST(Duration, RefusesWhatIsNone) {
    for (const auto* text : {"", " ", "-", "12", "d", "1x", "1h2", "--1h", "1.5h", "1 h", "9999999999s",
                             "4000000d", "-h", "1d-1h"}) {
        const auto read = base::parse_duration(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, base::Code::malformed);
        EXPECT_FALSE(read.error().fix.empty());
    }
}

}  // namespace
