// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hub/subscriptions.hpp"

namespace {

using hub::Feed;
using mqtt::Qos;

const trust::Identity device{"TempSensor", ""};
const trust::Identity module{"EdgeGateway", "mod1"};

TEST(Subscriptions, KnowsEachFeedByItsFilterAndGrantsAtMostQosOne) {
    hub::Subscriptions mine;
    EXPECT_TRUE(mine.add(device, "devices/TempSensor/messages/devicebound/#", Qos::exactly_once));
    EXPECT_TRUE(mine.add(device, "$iothub/twin/res/#", Qos::at_most_once));
    EXPECT_EQ(mine.to(Feed::devicebound), Qos::at_least_once);
    EXPECT_EQ(mine.to(Feed::twin_answers), Qos::at_most_once);
    EXPECT_EQ(mine.to(Feed::desired), std::nullopt);
    EXPECT_EQ(mine.to(Feed::methods), std::nullopt);
    mine.remove(device, "devices/TempSensor/messages/devicebound/#");
    EXPECT_EQ(mine.to(Feed::devicebound), std::nullopt);
}

TEST(Subscriptions, GivesAModuleItsInputsAndNoDeviceboundMessages) {
    hub::Subscriptions mine;
    EXPECT_TRUE(mine.add(module, "devices/EdgeGateway/modules/mod1/#", Qos::at_least_once));
    EXPECT_EQ(mine.to(Feed::inputs), Qos::at_least_once);
    EXPECT_FALSE(mine.add(module, "devices/EdgeGateway/messages/devicebound/#", Qos::at_least_once));
    EXPECT_EQ(mine.to(Feed::devicebound), std::nullopt);
}

TEST(Subscriptions, TakesMethodsByNameOrAll) {
    hub::Subscriptions mine;
    EXPECT_TRUE(mine.add(device, "$iothub/methods/POST/reboot/#", Qos::at_most_once));
    EXPECT_TRUE(mine.to_method("reboot"));
    EXPECT_FALSE(mine.to_method("open"));
    EXPECT_TRUE(mine.add(device, "$iothub/methods/POST/#", Qos::at_most_once));
    EXPECT_TRUE(mine.to_method("open"));
    mine.remove(device, "$iothub/methods/POST/#");
    mine.remove(device, "$iothub/methods/POST/reboot/#");
    EXPECT_FALSE(mine.to_method("reboot"));
}

TEST(Subscriptions, IsMadeTheSameByItsFilters) {
    for (const auto& [identity, filters] :
         std::initializer_list<std::pair<trust::Identity, std::vector<std::string>>>{
             {device,
              {"devices/TempSensor/messages/devicebound/#", "$iothub/twin/res/#",
               "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#",
               "$iothub/methods/POST/reboot/#"}},
             {module, {"devices/EdgeGateway/modules/mod1/#", "$iothub/methods/POST/a/#"}},
             {module, {"devices/EdgeGateway/modules/mod1/inputs/#"}},
             {device, {}}}) {
        hub::Subscriptions mine;
        for (const auto& filter : filters)
            ASSERT_TRUE(
                mine.add(identity, filter,
                         filter.starts_with("$iothub/twin") ? Qos::at_most_once : Qos::at_least_once));
        hub::Subscriptions copy;
        for (const auto& [filter, qos] : mine.filters(identity)) EXPECT_TRUE(copy.add(identity, filter, qos));
        EXPECT_EQ(copy, mine);
    }
}

TEST(Subscriptions, RefusesWhatBelongsToAnother) {
    hub::Subscriptions mine;
    for (const auto* filter : {"#", "devices/#", "devices/Other/messages/devicebound/#", "$iothub/#",
                               "$iothub/methods/POST/+/#", "$iothub/methods/POST/a/b/#"})
        EXPECT_FALSE(mine.add(device, filter, Qos::at_most_once)) << filter;
}

}  // namespace
