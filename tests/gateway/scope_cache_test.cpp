// SPDX-License-Identifier: Apache-2.0
#include "gateway/scope_cache.hpp"

#include <gtest/gtest.h>

#include "records.hpp"

namespace {

using gateway::ScopeCache;
using records::edge;
using records::leaf;
using records::module;

std::shared_ptr<const ScopeCache> cache_of(const std::vector<trust::Record>& all) {
    return ScopeCache::empty("EdgeGateway")->with_all(all);
}

TEST(ScopeCache, ChainOfALeafEndsInOurEdgeDevice) {
    const auto cache = cache_of({edge("EdgeGateway"), leaf("TempSensor", "EdgeGateway")});
    EXPECT_EQ(cache->auth_chain({"TempSensor", ""}), "TempSensor;EdgeGateway");
    EXPECT_EQ(cache->auth_chain({"EdgeGateway", ""}), "EdgeGateway");
}

TEST(ScopeCache, ChainOfAModuleNamesItThenItsDevice) {
    const auto cache = cache_of({edge("EdgeGateway"), module("EdgeGateway", "$edgeHub"),
                                 leaf("TempSensor", "EdgeGateway"), module("TempSensor", "filter")});
    EXPECT_EQ(cache->auth_chain({"EdgeGateway", "$edgeHub"}), "EdgeGateway/$edgeHub;EdgeGateway");
    EXPECT_EQ(cache->auth_chain({"TempSensor", "filter"}), "TempSensor/filter;TempSensor;EdgeGateway");
}

TEST(ScopeCache, OrderOfTheRecordsDoesNotMatter) {
    const auto cache =
        cache_of({leaf("TempSensor", "child"), edge("child", {"EdgeGateway"}), edge("EdgeGateway")});
    EXPECT_EQ(cache->auth_chain({"TempSensor", ""}), "TempSensor;child;EdgeGateway");
}

TEST(ScopeCache, LeafWithoutParentScopesLiesInItsDeviceScope) {
    auto sensor = leaf("TempSensor", "EdgeGateway");
    sensor.parent_scopes.clear();
    EXPECT_TRUE(cache_of({edge("EdgeGateway"), sensor})->auth_chain({"TempSensor", ""}));
}

TEST(ScopeCache, DeviceOfAnotherGatewayHasNoChain) {
    const auto cache = cache_of({edge("EdgeGateway"), edge("Other"), leaf("TempSensor", "Other")});
    EXPECT_FALSE(cache->auth_chain({"TempSensor", ""}));
    EXPECT_FALSE(cache->auth_chain({"nobody", ""}));
}

TEST(ScopeCache, DisabledEdgeDeviceOnTheWayWithholdsTheChainAndADisabledLeafKeepsIts) {
    auto child = edge("child", {"EdgeGateway"});
    child.status = trust::Enablement::disabled;
    auto sensor = leaf("direct", "EdgeGateway");
    sensor.status = trust::Enablement::disabled;
    const auto cache = cache_of({edge("EdgeGateway"), child, leaf("below", "child"), sensor});
    EXPECT_FALSE(cache->auth_chain({"below", ""}));
    EXPECT_EQ(cache->auth_chain({"direct", ""}), "direct;EdgeGateway");
}

TEST(ScopeCache, FiveEdgeLayersAreTheMost) {
    std::vector<trust::Record> all{edge("EdgeGateway"), edge("e2", {"EdgeGateway"}), edge("e3", {"e2"}),
                                   edge("e4", {"e3"}),  edge("e5", {"e4"}),          edge("e6", {"e5"})};
    all.push_back(leaf("at5", "e5"));
    all.push_back(leaf("at6", "e6"));
    const auto cache = cache_of(all);
    EXPECT_EQ(cache->auth_chain({"at5", ""}), "at5;e5;e4;e3;e2;EdgeGateway");
    EXPECT_FALSE(cache->auth_chain({"at6", ""}));
}

TEST(ScopeCache, CircleOfEdgeDevicesHasNoChain) {
    const auto cache =
        cache_of({edge("EdgeGateway"), edge("a", {"b"}), edge("b", {"a"}), leaf("TempSensor", "a")});
    EXPECT_FALSE(cache->auth_chain({"TempSensor", ""}));
}

TEST(ScopeCache, ModuleHasTheStatusOfItsDevice) {
    auto sensor = leaf("TempSensor", "EdgeGateway");
    const auto before = cache_of({edge("EdgeGateway"), sensor, module("TempSensor", "filter")});
    EXPECT_EQ(before->find({"TempSensor", "filter"})->device_status, trust::Enablement::enabled);
    sensor.status = trust::Enablement::disabled;
    const auto after = before->with({sensor});
    EXPECT_EQ(after->find({"TempSensor", "filter"})->device_status, trust::Enablement::disabled);
    EXPECT_EQ(before->find({"TempSensor", "filter"})->device_status, trust::Enablement::enabled);
}

TEST(ScopeCache, ModuleWhoseDeviceIsUnknownOpensNothing) {
    const auto cache = cache_of({edge("EdgeGateway"), module("gone", "m")});
    EXPECT_EQ(cache->find({"gone", "m"})->device_status, trust::Enablement::disabled);
    EXPECT_FALSE(cache->auth_chain({"gone", "m"}));
}

TEST(ScopeCache, RemovingADeviceTakesItsModulesAlong) {
    const auto before =
        cache_of({edge("EdgeGateway"), leaf("TempSensor", "EdgeGateway"), module("TempSensor", "filter")});
    const auto after = before->without({"TempSensor", ""});
    EXPECT_FALSE(after->find({"TempSensor", ""}));
    EXPECT_FALSE(after->find({"TempSensor", "filter"}));
    EXPECT_TRUE(after->find({"EdgeGateway", ""}));
    EXPECT_TRUE(before->find({"TempSensor", "filter"}));
}

TEST(ScopeCache, RecordsThatStayAreShared) {
    const auto before = cache_of({edge("EdgeGateway"), leaf("a", "EdgeGateway"), leaf("b", "EdgeGateway")});
    const auto after = before->with({leaf("b", "EdgeGateway", "b3RoZXI=")});
    EXPECT_EQ(before->find({"a", ""}), after->find({"a", ""}));
    EXPECT_NE(before->find({"b", ""}), after->find({"b", ""}));
}

TEST(ScopeCache, SaysHowOldItIs) {
    const auto cache = cache_of({});
    const base::Instant when{std::chrono::hours(500'000)};
    EXPECT_EQ(gateway::age_text(*cache, when), "never confirmed by the hub");
    EXPECT_EQ(gateway::age_text(*cache->confirmed_at(when, 7), when + std::chrono::hours(3)),
              "verified by the hub 3 hours ago");
}

}  // namespace
