// SPDX-License-Identifier: Apache-2.0
#include "ca/name_template.hpp"

#include <gtest/gtest.h>

namespace {

struct Row {
    std::string_view pattern, name;
    bool matches;
};

TEST(NameTemplate, IsFilledInAndComparedByteByByte) {
    const ca::NameValues values{"Dev1", "gw"};
    for (const auto& row : {
             Row{"{device}", "Dev1", true},
             Row{"{device}", "dev1", false},
             Row{"{device_lower}", "dev1", true},
             Row{"{device}", "Dev12", false},
             Row{"aziot-edge CA {device}", "aziot-edge CA Dev1", true},
             Row{"DNS:{cn}.plant.local", "DNS:gw.plant.local", true},
             Row{"DNS:{cn}.plant.local", "DNS:gwx.plant.local", false},
             Row{"{any}", "x", true},
             Row{"{any}", "", false},
             Row{"line-{any}", "line-3", true},
             Row{"line-{any}", "line-", false},
             Row{"{any}.plant.local", "a.b.plant.local", true},
             Row{"{any}.plant.local", ".plant.local", false},
             Row{"{any}-{any}", "a-b", true},
             Row{"{any}-{any}", "-b", false},
             Row{"{any}-{any}", "a-", false},
             Row{"{device}-{any}", "Dev1-m", true},
             Row{"{device}-{any}", "Dev2-m", false},
         })
        EXPECT_EQ(ca::template_matches(row.pattern, row.name, values), row.matches)
            << row.pattern << " with " << row.name;
}

TEST(NameTemplate, WithoutItsValueMatchesNothing) {
    EXPECT_FALSE(ca::template_matches("{device}", "", {"", ""}));
    EXPECT_FALSE(ca::template_matches("a{device}", "a", {"", ""}));
    EXPECT_FALSE(ca::template_matches("DNS:{cn}{any}", "DNS:x", {"d", ""}));
}

TEST(NameTemplate, KnowsItsPlaceholders) {
    for (const std::string_view good : {"{device}", "x{any}y", "{cn}", "{device_lower}.local"})
        EXPECT_TRUE(ca::check_template(good)) << good;
    for (const std::string_view bad : {"", "{host}", "{device", "{}"})
        EXPECT_FALSE(ca::check_template(bad)) << bad;
}

}  // namespace
