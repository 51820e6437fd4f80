// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

namespace scene {
namespace {

using std::chrono::hours;

constexpr std::string_view gateway = "devices/EdgeGateway/modules/$edgeHub";

/// TempSensor below `edges` gateways, the nearest first; the last speaks.
Scene below(int edges) {
    auto s = on_behalf();
    s.links.clear();
    s.chain = "TempSensor";
    for (int i = 1; i < edges; ++i) {
        const auto id = "edge" + std::to_string(i);
        s.links.push_back(edge(id, i + 1 < edges ? "edge" + std::to_string(i + 1) : "EdgeGateway"));
        s.chain += ";" + id;
    }
    s.links.push_back(edge("EdgeGateway"));
    s.chain += ";EdgeGateway";
    s.record = child("TempSensor", s.links.front().identity.device);
    s.links.insert(s.links.begin(), s.record);
    return s;
}

Scene nested() {
    return below(2);
}
Scene five_deep() {
    return below(5);
}

Scene own_module() {
    auto s = on_behalf();
    s.record = module("EdgeGateway", "mod1", 'M');
    s.client_id = "EdgeGateway/mod1";
    s.chain = "EdgeGateway/mod1;EdgeGateway";
    s.links = {edge("EdgeGateway"), edge("EdgeGateway")};
    return s;
}

Scene leaf_module() {
    auto s = on_behalf();
    s.record = module("TempSensor", "mod1", 'M');
    s.client_id = "TempSensor/mod1";
    s.chain = "TempSensor/mod1;EdgeGateway";
    return s;
}

Scene gateway_itself() {
    auto s = own_module();
    s.record = s.actor.front();
    s.client_id = "EdgeGateway/$edgeHub";
    s.chain = "EdgeGateway/$edgeHub;EdgeGateway";
    return s;
}

Scene with_clients_token() {
    auto s = on_behalf();
    s.show_token("devices/TempSensor", key('A'));
    return s;
}

const Case on_behalf_cases[] = {
    {"GatewaySpeaksForItsChild", on_behalf, nothing, ""},
    {"GatewaySpeaksForAChildOfItsChild", nested, nothing, ""},
    {"FiveEdgeDevicesAboveEachOther", five_deep, nothing, ""},
    {"GatewaySpeaksForAModuleOfItsOwn", own_module, nothing, ""},
    {"GatewaySpeaksForAModuleOfItsChild", leaf_module, nothing, ""},
    {"ModulesDeviceStandsInTheChainToo", leaf_module,
     [](Scene& s) {
         s.chain = "TempSensor/mod1;TempSensor;EdgeGateway";
         s.links.insert(s.links.begin(), s.record);
     },
     ""},
    {"GatewayNamesAChainForItself", gateway_itself, nothing, ""},
    {"ClientsOwnTokenIsPassedOn", with_clients_token, nothing, ""},
    {"ChildOfAnyRegisteredType", on_behalf,
     [](Scene& s) { s.record.authentication.type = trust::AuthType::certificate_authority; }, ""},
    {"ChildOfTypeNone", on_behalf, [](Scene& s) { s.record.authentication.type = trust::AuthType::none; },
     ""},

    {"ChainOfAnotherChild", on_behalf, [](Scene& s) { s.chain = "TempSensor2;EdgeGateway"; }, "chain.form"},
    {"EmptyChain", on_behalf, [](Scene& s) { s.chain = ""; }, "chain.form"},
    {"ChainWithAnEmptyElement", on_behalf, [](Scene& s) { s.chain = "TempSensor;;EdgeGateway"; },
     "chain.form"},
    {"ChainWithASlashFurtherUp", on_behalf, [](Scene& s) { s.chain = "TempSensor;EdgeGateway/$edgeHub"; },
     "chain.form"},
    {"ActorIsNotTheLast", on_behalf, [](Scene& s) { s.actor = {module("Other", "$edgeHub", 'H')}; },
     "chain.actor"},
    {"ActorIsAnotherModule", on_behalf, [](Scene& s) { s.actor.front().identity.module = "mod1"; },
     "chain.actor"},
    {"ActorIsNotRegistered", on_behalf, [](Scene& s) { s.actor.clear(); }, "chain.actor"},
    {"ActorsDeviceIsDisabled", on_behalf,
     [](Scene& s) { s.actor.front().device_status = trust::Enablement::disabled; }, "chain.actor"},
    {"ChildOfAnotherGateway", on_behalf, [](Scene& s) { s.links[0] = child("TempSensor", "Other"); },
     "chain.links"},
    {"ChildOfNobody", on_behalf, [](Scene& s) { s.links[0] = device("TempSensor"); }, "chain.links"},
    {"BrokenFurtherUp", nested, [](Scene& s) { s.links[1].parent_scopes.clear(); }, "chain.links"},
    {"EdgeChildIsNotLinkedByItsOwnScope", nested,
     [](Scene& s) {
         s.links[1].parent_scopes.clear();
         s.links[2].device_scope = s.links[1].device_scope;
     },
     "chain.links"},
    {"GatewayIsNoEdgeDevice", on_behalf, [](Scene& s) { s.links[1].edge_enabled = false; }, "chain.links"},
    {"MemberIsDisabled", nested, [](Scene& s) { s.links[1].status = trust::Enablement::disabled; },
     "chain.links"},
    {"LastMemberIsDisabled", on_behalf, [](Scene& s) { s.links[1].status = trust::Enablement::disabled; },
     "chain.links"},
    {"MemberIsNotRegistered", nested, [](Scene& s) { s.unknown_links = {false, true, false}; },
     "chain.links"},
    {"MemberWasNotLookedUp", nested, [](Scene& s) { s.links.pop_back(); }, "chain.links"},
    {"MembersInAnotherOrder", nested, [](Scene& s) { std::swap(s.links[0], s.links[1]); }, "chain.links"},
    {"SixEdgeDevicesAboveEachOther", five_deep,
     [](Scene& s) {
         const auto token = s.token;
         s = below(6);
         s.token = token;
     },
     "chain.links"},
    {"TargetIsDisabled", on_behalf, [](Scene& s) { s.record.status = trust::Enablement::disabled; },
     "identity.enabled"},
    {"TargetIsNotRegistered", on_behalf, [](Scene& s) { s.registered = false; }, "identity.registered"},
    {"ClientIdOfTheGateway", on_behalf, [](Scene& s) { s.client_id = "EdgeGateway/$edgeHub"; },
     "identity.client_id"},

    {"ActorsKeyIsAnother", on_behalf, [](Scene& s) { s.show_token(gateway, key('X')); }, "token.signature"},
    {"ActorsTokenHasExpired", on_behalf,
     [](Scene& s) { s.show_token_at(now() - hours(1), gateway, key('H')); }, "token.expiry"},
    {"ActorsDevicesTokenIsNotTheActors", on_behalf,
     [](Scene& s) { s.show_token("devices/EdgeGateway", key('E')); }, "token.resource"},
    {"AnotherModulesToken", on_behalf,
     [](Scene& s) { s.show_token("devices/EdgeGateway/modules/mod1", key('M')); }, "token.resource"},
    {"NoToken", on_behalf, [](Scene& s) { s.token.clear(); }, "credential.present"},
    {"ActorOfTypeNone", on_behalf,
     [](Scene& s) { s.actor.front().authentication.type = trust::AuthType::none; }, "identity.method"},
    {"ActorsKeyForTheChildsResource", on_behalf,
     [](Scene& s) { s.show_token("devices/TempSensor", key('H')); }, "token.signature"},
    {"ClientsOwnTokenWithAnUntrueChain", with_clients_token,
     [](Scene& s) { s.links[0] = child("TempSensor", "Other"); }, "chain.links"},
    {"WithoutAChainTheGatewaysTokenOpensNothing", on_behalf, [](Scene& s) { s.on_behalf = false; },
     "token.resource"},
};

INSTANTIATE_TEST_SUITE_P(OnBehalf, Authenticate, testing::ValuesIn(on_behalf_cases), name_of);

}  // namespace
}  // namespace scene
