// SPDX-License-Identifier: Apache-2.0
#include "http/date.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Date, ReadsWhatServersWrite) {
    for (const std::int64_t seconds : {0LL, 951782400LL, 1795600800LL, 4102444799LL}) {
        const base::Instant when{std::chrono::seconds(seconds)};
        const auto read = http::parse_date(base::format_rfc1123(when));
        ASSERT_TRUE(read) << base::format_rfc1123(when);
        EXPECT_EQ(*read, when);
    }
    EXPECT_EQ(http::parse_date("Wed, 25 Nov 2026 10:00:00 GMT"),
              base::Instant(std::chrono::seconds(1795600800)));
}

TEST(Date, RefusesWhatIsNone) {
    for (const auto* text :
         {"", "Wed, 25 Nov 2026 10:00:00", "Wed, 25 Nov 2026 10:00:00 UTC", "Thu, 25 Nov 2026 10:00:00 GMT",
          "Wed, 25 nov 2026 10:00:00 GMT", "Wed, 31 Nov 2026 10:00:00 GMT", "Wed, 25 Nov 2026 25:00:00 GMT",
          "Wednesday, 25-Nov-26 10:00:00 GMT", "Wed Nov 25 10:00:00 2026", "Wed, 25 Nov +026 10:00:00 GMT",
          "Wed; 25 Nov 2026 10:00:00 GMT", "2026-11-25T10:00:00Z          "})
        EXPECT_FALSE(http::parse_date(text)) << text;
}

}  // namespace
