// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"

/// What a gateway asks its hub.
namespace hub_test {
namespace {

using http::Verb;

class ScopeTest : public testing::Test {
  protected:
    ScopeTest() {
        const auto edge =
            hub_.register_device("EdgeGateway", edge_, nullptr, R"("capabilities":{"iotEdge":true})");
        scope_ = std::string(edge.at("deviceScope").as_string());
        const auto answer = hub_.ask(
            {.verb = Verb::put,
             .target = "/devices/EdgeGateway/modules/%24edgeHub",
             .body =
                 R"({"deviceId":"EdgeGateway","moduleId":"$edgeHub","authentication":{"symmetricKey":{"primaryKey":")" +
                 key_ + R"(","secondaryKey":")" + key_ + R"("},"type":"sas"}})",
             .if_match = "*"});
        if (answer.status != 200) throw std::runtime_error(answer.body);
        hub_.register_device("TempSensor", leaf_, nullptr, R"("deviceScope":")" + scope_ + '"');
        hub_.register_device("Orphan", leaf_);
    }
    Caller gateway() const { return {nullptr, hub_.identity_token("EdgeGateway", "$edgeHub", key_)}; }
    http::Response post(const std::string& name, const std::string& body) {
        return hub_.ask(
            {.verb = Verb::post,
             .target = "/devices/EdgeGateway/modules/$edgeHub/" + name + "?api-version=2020-06-30-preview",
             .body = body},
            gateway());
    }
    std::vector<std::string> ids(const http::Response& answer) {
        std::vector<std::string> found;
        const auto document = boost::json::parse(answer.body).as_object();
        for (const auto& device : document.at("devices").as_array())
            found.emplace_back(device.at("deviceId").as_string());
        return found;
    }

    TestHub hub_;
    support::Identity edge_ = hub_.device_identity("EdgeGateway");
    support::Identity leaf_ = hub_.device_identity("TempSensor");
    std::string key_ = base::to_base64(base::Bytes(32, std::byte{3}));
    std::string scope_;
};

TEST_F(ScopeTest, HoldsTheEdgeDeviceItsModulesAndItsChildren) {
    const auto answer =
        post("devicesAndModulesInTargetDeviceScope", R"({"pageSize":100,"authChain":"EdgeGateway"})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(ids(answer), testing::UnorderedElementsAre("EdgeGateway", "TempSensor"));
    const auto document = boost::json::parse(answer.body).as_object();
    EXPECT_EQ(document.at("modules").as_array().size(), 2U);
    EXPECT_TRUE(document.at("continuationLink").is_null());
    for (const auto& device : document.at("devices").as_array()) {
        const auto& prints = device.at("authentication").at("x509Thumbprint").as_object();
        EXPECT_EQ(prints.at("primaryThumbprint"), prints.at("secondaryThumbprint"))
            << "the missing slot is filled";
    }
}

TEST_F(ScopeTest, ComesInPagesThatLeaveNothingOut) {
    const auto first =
        post("devicesAndModulesInTargetDeviceScope", R"({"pageSize":1,"authChain":"EdgeGateway"})");
    ASSERT_EQ(first.status, 200) << first.body;
    const auto link = boost::json::parse(first.body).at("continuationLink");
    ASSERT_TRUE(link.is_string());
    const auto second = post("devicesAndModulesInTargetDeviceScope",
                             boost::json::serialize(boost::json::object{
                                 {"pageSize", 1}, {"authChain", "EdgeGateway"}, {"continuationLink", link}}));
    auto all = ids(first);
    for (const auto& id : ids(second)) all.push_back(id);
    EXPECT_THAT(all, testing::UnorderedElementsAre("EdgeGateway", "TempSensor"));
}

TEST_F(ScopeTest, FlatFormFollowsItsOwnLinks) {
    std::string target =
        "/devices/EdgeGateway/modules/$edgeHub/"
        "devicesAndModulesInDeviceScope?deviceCount=1&continuationToken=&api-version=x";
    std::vector<std::string> all;
    for (int page = 0; page < 5 && !target.empty(); ++page) {
        const auto answer = hub_.ask({.target = target}, gateway());
        ASSERT_EQ(answer.status, 200) << answer.body;
        for (const auto& id : ids(answer)) all.push_back(id);
        const auto link = boost::json::parse(answer.body).at("continuationLink");
        target = link.is_string() ? std::string(link.as_string()) : std::string();
    }
    EXPECT_THAT(all, testing::UnorderedElementsAre("EdgeGateway", "TempSensor"));
}

TEST_F(ScopeTest, MemberIsToldAloneOrWithItsDevice) {
    const auto device =
        post("getDeviceAndModuleOnBehalfOf", R"({"targetDeviceId":"TempSensor","authChain":"EdgeGateway"})");
    ASSERT_EQ(device.status, 200) << device.body;
    EXPECT_EQ(ids(device), std::vector<std::string>{"TempSensor"});
    const auto module =
        post("getDeviceAndModuleOnBehalfOf",
             R"({"targetDeviceId":"EdgeGateway","targetModuleId":"$edgeAgent","authChain":"EdgeGateway"})");
    ASSERT_EQ(module.status, 200) << module.body;
    EXPECT_EQ(boost::json::parse(module.body).at("modules").as_array().size(), 1U);
    EXPECT_EQ(ids(module), std::vector<std::string>{"EdgeGateway"});
}

TEST_F(ScopeTest, TellsNothingOfWhoIsNotInIt) {
    EXPECT_EQ(post("getDeviceAndModuleOnBehalfOf", R"({"targetDeviceId":"Orphan","authChain":"EdgeGateway"})")
                  .status,
              401);
    EXPECT_EQ(post("getDeviceAndModuleOnBehalfOf", R"({"targetDeviceId":"Nobody","authChain":"EdgeGateway"})")
                  .status,
              404);
    for (const auto* chain :
         {"Orphan;EdgeGateway", "TempSensor", "EdgeGateway;Orphan", "", "a;b;c;d;e;f;g", "x/y/z"}) {
        const auto answer = post("devicesAndModulesInTargetDeviceScope",
                                 R"({"pageSize":10,"authChain":")" + std::string(chain) + "\"}");
        EXPECT_TRUE(answer.status == 401 || answer.status == 400) << chain << ": " << answer.status;
    }
    EXPECT_EQ(post("devicesAndModulesInTargetDeviceScope", "{").status, 400);
}

TEST_F(ScopeTest, OnlyTheEdgeHubModuleItselfMayAsk) {
    const Ask ask{.verb = Verb::post,
                  .target = "/devices/EdgeGateway/modules/$edgeHub/devicesAndModulesInTargetDeviceScope",
                  .body = R"({"pageSize":10,"authChain":"EdgeGateway"})"};
    EXPECT_EQ(hub_.ask(ask, hub_.owner()).status, 401);
    EXPECT_EQ(hub_.ask(ask, {&edge_, {}}).status, 401) << "the device's certificate is not its module's";
    EXPECT_EQ(hub_.ask(ask, gateway()).status, 200);
}

net::Task<> change_later(TestHub& hub, Ask change) {
    const Caller owner = hub.owner();
    const auto answer = co_await hub.call(change, owner);
    EXPECT_LT(answer.status, 300) << answer.body;
}

/// Holds a scopeChanges request, makes a change, and gives what the held request answered.
net::Task<http::Response> held_over(TestHub& hub, Caller gateway, Ask change) {
    const std::string target = "/devices/EdgeGateway/modules/%24edgeHub/scopeChanges?api-version=x";
    const Ask first{.target = target};
    const auto now = co_await hub.call(first, gateway);
    const auto version = boost::json::parse(now.body).at("version").to_number<std::uint64_t>();
    net::TaskGroup changes;
    changes.spawn("change", change_later(hub, std::move(change)));
    const Ask held{.target = target + "&wait=40&since=" + std::to_string(version)};
    auto answer = co_await hub.call(held, gateway);
    co_await changes.drained();
    co_return answer;
}

TEST_F(ScopeTest, HeldRequestIsWokenByAChangeOfAChild) {
    auto child = hub_.get("/devices/TempSensor");
    child["status"] = "disabled";
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = net::run_task_for(held_over(hub_, gateway(),
                                                    {.verb = Verb::put,
                                                     .target = "/devices/TempSensor",
                                                     .body = boost::json::serialize(child),
                                                     .if_match = "*"}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    const auto document = boost::json::parse(answer.body).as_object();
    EXPECT_EQ(boost::json::serialize(document.at("identities")), R"(["TempSensor"])");
    EXPECT_FALSE(document.at("all").as_bool());
    EXPECT_FALSE(document.at("certificates").as_bool());
}

TEST_F(ScopeTest, HeldRequestIsWokenByAdoption) {
    auto orphan = hub_.get("/devices/Orphan");
    orphan["deviceScope"] = scope_;
    const auto answer = net::run_task_for(held_over(hub_, gateway(),
                                                    {.verb = Verb::put,
                                                     .target = "/devices/Orphan",
                                                     .body = boost::json::serialize(orphan),
                                                     .if_match = "*"}));
    EXPECT_EQ(boost::json::serialize(boost::json::parse(answer.body).at("identities")), R"(["Orphan"])");
}

TEST_F(ScopeTest, HeldRequestIsWokenByAVerifiedCa) {
    const auto body = boost::json::serialize(boost::json::object{
        {"properties",
         boost::json::object{{"certificate", hub_.pki().root.certificate.pem()}, {"isVerified", true}}}});
    const auto answer = net::run_task_for(held_over(
        hub_, gateway(),
        {.verb = Verb::put,
         .target = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/ContosoIotHub/"
                   "certificates/root",
         .body = body}));
    EXPECT_TRUE(boost::json::parse(answer.body).at("certificates").as_bool()) << answer.body;
    const auto anchors =
        hub_.ask({.target = "/devices/EdgeGateway/modules/%24edgeHub/caCertificates"}, gateway());
    const auto list = boost::json::parse(anchors.body).at("certificates").as_array();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].at("certificate").as_string(), base::to_base64(hub_.pki().root.certificate.der()));
}

/// EdgeGateway with an edge device below it, and a leaf device below that.
class NestedScopeTest : public ScopeTest {
  protected:
    NestedScopeTest() {
        const auto below = hub_.register_device(
            "Below", edge_, nullptr, R"("capabilities":{"iotEdge":true},"parentScopes":[")" + scope_ + "\"]");
        below_ = std::string(below.at("deviceScope").as_string());
        hub_.register_device("Deep", leaf_, nullptr, R"("deviceScope":")" + below_ + '"');
    }
    int member(const std::string& target, const std::string& chain) {
        return post("getDeviceAndModuleOnBehalfOf",
                    R"({"targetDeviceId":")" + target + R"(","authChain":")" + chain + "\"}")
            .status;
    }
    Ask with_status(const std::string& id, const std::string& status) {
        auto device = hub_.get("/devices/" + id);
        device["status"] = status;
        return {.verb = Verb::put,
                .target = "/devices/" + id,
                .body = boost::json::serialize(device),
                .if_match = "*"};
    }
    std::string below_;
};

TEST_F(NestedScopeTest, MemberIsFoundAtAnyDepthUnderTheEdgeDeviceThatAsks) {
    EXPECT_EQ(member("Below", "EdgeGateway"), 200);
    EXPECT_EQ(member("Deep", "EdgeGateway"), 200);
    EXPECT_EQ(member("Deep", "Below;EdgeGateway"), 200);
}

TEST_F(NestedScopeTest, MemberBesideTheChainIsNotTold) {
    EXPECT_EQ(member("TempSensor", "Below;EdgeGateway"), 401) << "it is its parent's child";
    EXPECT_EQ(member("EdgeGateway", "Below;EdgeGateway"), 401) << "nobody lies under its own child";
    hub_.register_device("Other", edge_, nullptr, R"("capabilities":{"iotEdge":true})");
    EXPECT_EQ(member("Other", "EdgeGateway"), 401);
}

TEST_F(NestedScopeTest, NothingIsToldOfWhatLiesUnderADisabledEdgeDevice) {
    ASSERT_EQ(hub_.ask(with_status("Below", "disabled")).status, 200);
    EXPECT_EQ(member("Deep", "EdgeGateway"), 401);
    EXPECT_EQ(member("Below", "EdgeGateway"), 200) << "that it is disabled must be known";
}

TEST_F(NestedScopeTest, HeldRequestIsWokenByAChangeOfAGrandchild) {
    const auto answer = net::run_task_for(held_over(hub_, gateway(), with_status("Deep", "disabled")));
    EXPECT_EQ(boost::json::serialize(boost::json::parse(answer.body).at("identities")), R"(["Deep"])");
}

TEST_F(ScopeTest, ChangeElsewhereIsNotToldAndTheWaitEndsEmpty) {
    const std::string target = "/devices/EdgeGateway/modules/%24edgeHub/scopeChanges?wait=0&since=";
    const auto before = boost::json::parse(
        hub_.ask({.target = "/devices/EdgeGateway/modules/%24edgeHub/scopeChanges"}, gateway()).body);
    hub_.put_device("Elsewhere", R"({"deviceId":"Elsewhere"})");
    const auto since = before.at("version").to_number<std::uint64_t>();
    const auto answer =
        boost::json::parse(hub_.ask({.target = target + std::to_string(since)}, gateway()).body);
    EXPECT_TRUE(answer.at("identities").as_array().empty());
    EXPECT_GT(answer.at("version").to_number<std::uint64_t>(), since);
}

TEST_F(ScopeTest, NumberFromAnotherLifeMeansEverything) {
    const auto answer = boost::json::parse(
        hub_.ask({.target = "/devices/EdgeGateway/modules/%24edgeHub/scopeChanges?since=999999"}, gateway())
            .body);
    EXPECT_TRUE(answer.at("all").as_bool());
}

}  // namespace
}  // namespace hub_test
