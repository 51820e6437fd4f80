// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace registry_tests {
namespace {

class Scopes : public RegistryFile {
  protected:
    std::string scope_of_new_edge(const std::string& id, const std::string& parent_scope = {}) {
        return take(create(edge(id, parent_scope))).record.device_scope;
    }
    std::string ids_in_scope(const std::string& edge_id, std::size_t most = 100) {
        std::string out, after;
        do {
            const auto page = take(reader->scope(edge_id, after, most));
            for (const auto& one : page.devices) out += one.record.identity.text() + " ";
            for (const auto& one : page.modules) out += one.record.identity.text() + " ";
            after = page.continuation;
        } while (!after.empty());
        return out;
    }
};

TEST_F(Scopes, ALeafMirrorsItsScopeIntoParentScopes) {
    const auto scope = scope_of_new_edge("EdgeGateway");
    const auto leaf = take(create(child("TempSensor", scope))).record;
    EXPECT_EQ(leaf.device_scope, scope);
    EXPECT_EQ(leaf.parent_scopes, std::vector{scope});
}

TEST_F(Scopes, ALeafMayNameItsParentInParentScopesToo) {
    const auto scope = scope_of_new_edge("EdgeGateway");
    auto wish = device("TempSensor");
    wish.parent_scopes = {scope};
    EXPECT_EQ(take(create(wish)).record.device_scope, scope);
}

TEST_F(Scopes, AnEdgeDeviceKeepsItsOwnAndNamesItsParent) {
    const auto parent = scope_of_new_edge("parent");
    const auto record = take(create(edge("child", parent))).record;
    EXPECT_EQ(record.device_scope, azure::make_scope("child", record.generation));
    EXPECT_EQ(record.parent_scopes, std::vector{parent});
    auto wish = device("child");
    wish.device_scope = parent;
    EXPECT_EQ(refusal(replace(wish)), "InvalidDeviceScope");
    wish.device_scope = record.device_scope;  // a document that was read and sent back
    EXPECT_EQ(refusal(replace(wish)), "none");
}

TEST_F(Scopes, AnUnknownScopeIsRefused) {
    take(create(device("leaf")));
    for (const std::string scope : {"ms-azure-iot-edge://nobody-1", "x"}) {
        EXPECT_EQ(refusal(create(child("TempSensor", scope))), "InvalidDeviceScope");
        EXPECT_EQ(refusal(create(edge("EdgeGateway", scope))), "InvalidDeviceScope");
        EXPECT_EQ(refusal(replace(child("leaf", scope))), "InvalidDeviceScope");
    }
}

TEST_F(Scopes, ASecondParentIsRefused) {
    auto wish = edge("EdgeGateway");
    wish.parent_scopes = {scope_of_new_edge("a"), scope_of_new_edge("b")};
    EXPECT_EQ(refusal(create(wish)), "InvalidDeviceScope");
}

TEST_F(Scopes, ALeafIsMovedAndItsChangeNamesBothScopes) {
    const auto a = scope_of_new_edge("a");
    const auto b = scope_of_new_edge("b");
    take(create(child("TempSensor", a)));
    const auto before = take(reader->last_change());
    const auto moved = take(replace(child("TempSensor", b))).record;
    EXPECT_EQ(moved.parent_scopes, std::vector{b});
    const auto changes = take(reader->changes(before, 10)).value();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].scopes, (std::vector{a, b}));
}

TEST_F(Scopes, ALeafThatWasReadAndSentBackWithANewScopeIsMoved) {
    const auto a = scope_of_new_edge("a");
    const auto b = scope_of_new_edge("b");
    auto wish = child("TempSensor", a);
    take(create(wish));
    wish.device_scope = b;
    wish.parent_scopes = {a};
    EXPECT_EQ(take(replace(wish)).record.device_scope, b);
    wish.parent_scopes = {a};  // and the other way round
    EXPECT_EQ(take(replace(wish)).record.device_scope, a);
}

TEST_F(Scopes, AnEmptyScopeTakesTheParentAway) {
    const auto scope = scope_of_new_edge("EdgeGateway");
    take(create(child("TempSensor", scope)));
    take(create(edge("below", scope)));
    EXPECT_EQ(take(replace(device("TempSensor"))).record.device_scope, scope);
    EXPECT_EQ(take(replace(child("TempSensor", ""))).record.device_scope, "");
    EXPECT_TRUE(take(reader->device("TempSensor"))->record.parent_scopes.empty());
    auto wish = device("below");
    wish.parent_scopes.emplace();
    EXPECT_TRUE(take(replace(wish)).record.parent_scopes.empty());
}

TEST_F(Scopes, FiveEdgeDevicesMayStandAboveEachOtherAndNoMore) {
    std::string scope;
    for (int i = 1; i <= 5; ++i) scope = scope_of_new_edge("edge" + std::to_string(i), scope);
    EXPECT_EQ(refusal(create(edge("edge6", scope))), "InvalidDeviceScope");
    EXPECT_EQ(refusal(create(child("leaf", scope))), "none");
    // A tree that is moved counts with all that hangs below it.
    const auto top = scope_of_new_edge("top");
    auto wish = device("edge1");
    wish.parent_scopes = {top};
    EXPECT_EQ(refusal(replace(wish)), "InvalidDeviceScope");
    wish = device("edge2");
    wish.parent_scopes = {top};
    EXPECT_EQ(refusal(replace(wish)), "none");
}

TEST_F(Scopes, ALeafThatBecomesAnEdgeDeviceCountsAsOne) {
    std::string scope;
    for (int i = 1; i <= 5; ++i) scope = scope_of_new_edge("edge" + std::to_string(i), scope);
    take(create(child("leaf", scope)));
    EXPECT_EQ(refusal(replace(edge("leaf"))), "InvalidDeviceScope");
}

TEST_F(Scopes, ACycleIsRefused) {
    const auto a = scope_of_new_edge("a");
    const auto b = scope_of_new_edge("b", a);
    const auto c = scope_of_new_edge("c", b);
    for (const auto& scope : {a, b, c}) {
        auto wish = device("a");
        wish.parent_scopes = {scope};
        EXPECT_EQ(refusal(replace(wish)), "InvalidDeviceScope") << scope;
    }
}

TEST_F(Scopes, AnEdgeDeviceSeesItselfItsModulesItsLeavesAndTheEdgeDevicesRightBelow) {
    const auto a = scope_of_new_edge("a");
    const auto b = scope_of_new_edge("b", a);
    take(create(child("leaf", a)));
    take(create(module("leaf", "m")));
    take(create(child("below", b)));
    take(create(device("alone")));
    EXPECT_EQ(ids_in_scope("a"), "a b leaf a/$edgeAgent a/$edgeHub b/$edgeAgent b/$edgeHub leaf/m ");
    EXPECT_EQ(ids_in_scope("a", 1), "a a/$edgeAgent a/$edgeHub b b/$edgeAgent b/$edgeHub leaf leaf/m ");
    EXPECT_EQ(ids_in_scope("b"), "b below b/$edgeAgent b/$edgeHub ");
    EXPECT_EQ(refusal(reader->scope("nobody", "", 10)), "DeviceNotFound");
    EXPECT_EQ(refusal(reader->scope("leaf", "", 10)), "ArgumentInvalid");
}

TEST_F(Scopes, ThePageEndsWithoutAContinuationWhenAllWasShown) {
    const auto a = scope_of_new_edge("a");
    take(create(child("leaf", a)));
    EXPECT_EQ(take(reader->scope("a", "", 2)).continuation, "");
    EXPECT_EQ(take(reader->scope("a", "", 1)).continuation, "a");
}

TEST_F(Scopes, ChildrenOfADeletedGatewayKeepAScopeThatNoLongerResolves) {
    const auto a = scope_of_new_edge("a");
    take(create(child("leaf", a)));
    take(create(edge("below", a)));
    take(remove("a"));
    EXPECT_EQ(take(reader->device("leaf"))->record.device_scope, a);
    EXPECT_EQ(take(reader->scope_owner(a)), std::nullopt);
    scope_of_new_edge("a");  // of the same name, but another one
    EXPECT_EQ(ids_in_scope("a"), "a a/$edgeAgent a/$edgeHub ");
    auto wish = device("leaf");
    wish.status = trust::Enablement::disabled;
    EXPECT_EQ(refusal(replace(wish)), "none");
    wish.device_id = "below";
    EXPECT_EQ(refusal(replace(wish)), "none");
}

TEST_F(Scopes, TheOwnerOfAScopeIsFound) {
    const auto a = scope_of_new_edge("a");
    take(create(child("leaf", a)));
    EXPECT_EQ(take(reader->scope_owner(a))->record.identity.device, "a");
}

}  // namespace
}  // namespace registry_tests
