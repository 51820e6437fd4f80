// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "trust/checks.hpp"
#include "trust/judge.hpp"

namespace trust::judge {
namespace {

constexpr std::size_t deepest = 5;  // edge devices above each other (hub.md 9.4)
constexpr std::string_view hub_module = "$edgeHub";

/// The devices of a chain, target's first. A module target stands before its device or without it.
struct Devices {
    std::vector<std::string> ids;
    std::size_t elements = 0;  ///< how many the chain had
};

/// The devices that the chain names; an empty list where it does not have the form of one for this target.
Devices read_chain(const std::string& chain, const Identity& target) {
    Devices out;
    const auto elements = base::split(chain, ';');
    out.elements = elements.size();
    if (elements.front() != target.text()) return out;
    out.ids.push_back(target.device);
    for (std::size_t i = 1; i < elements.size(); ++i) {
        if (!check_id(elements[i], "device id")) return {};
        if (i == 1 && target.is_module() && elements[i] == target.device) continue;
        out.ids.emplace_back(elements[i]);
    }
    return out;
}

bool is_child(const Record& child, const Record& parent) {
    if (!parent.edge_enabled || parent.device_scope.empty()) return false;
    const auto& scopes = child.parent_scopes;
    if (std::find(scopes.begin(), scopes.end(), parent.device_scope) != scopes.end()) return true;
    return !child.edge_enabled && child.device_scope == parent.device_scope;
}

/// What is wrong with the links; empty where they hold.
std::string broken_link(std::span<const std::string> ids, std::span<const Record* const> links) {
    if (ids.size() != links.size()) return "a chain that was not looked up whole";
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (links[i] == nullptr) return ids[i] + " is not registered";
        if (links[i]->identity.device != ids[i]) return links[i]->identity.text() + " in place of " + ids[i];
        if (!is_enabled(*links[i])) return ids[i] + " is disabled";
        if (i > 0 && !is_child(*links[i - 1], *links[i])) return ids[i - 1] + " is no child of " + ids[i];
    }
    if (!links.back()->edge_enabled) return ids.back() + " is no IoT Edge device";
    const auto edges =
        std::count_if(links.begin(), links.end(), [](const Record* one) { return one->edge_enabled; });
    if (static_cast<std::size_t>(edges) > deepest)
        return std::to_string(edges) + " IoT Edge devices above each other";
    return {};
}

void check_actor(const Record* actor, const std::string& device, pki::Verdict& verdict) {
    const auto expected = device + "/" + std::string(hub_module) + ", enabled";
    if (actor == nullptr) return verdict.fail(checks::chain_actor, -1, expected, "not registered");
    if (actor->identity.device != device || actor->identity.module != hub_module)
        return verdict.fail(checks::chain_actor, -1, expected, actor->identity.text());
    if (!is_enabled(*actor)) return verdict.fail(checks::chain_actor, -1, expected, "disabled");
    verdict.pass(checks::chain_actor, -1, expected, "enabled");
}

}  // namespace

void auth_chain(const Presented& presented, const OnBehalf& on_behalf, pki::Verdict& verdict) {
    const auto form = presented.claimed.text() + ", then its gateways";
    const auto chain = read_chain(on_behalf.claimed_chain, presented.claimed);
    if (chain.ids.empty()) {
        verdict.fail(checks::chain_form, -1, form, on_behalf.claimed_chain);
        verdict.skip(checks::chain_links, -1, "each a registered child of the next");
        verdict.skip(checks::chain_actor, -1, "the $edgeHub of the last device");
        return;
    }
    verdict.pass(checks::chain_form, -1, form, on_behalf.claimed_chain);

    // The caller may have looked up the device of a module target once for each of its two elements.
    std::span<const Record* const> links(on_behalf.links);
    if (links.size() == chain.elements && chain.elements > chain.ids.size()) links = links.subspan(1);
    const auto wrong = broken_link(chain.ids, links);
    const std::string expected = "each enabled and a registered child of the next, at most 5 deep";
    if (wrong.empty())
        verdict.pass(checks::chain_links, -1, expected, std::to_string(chain.ids.size()) + " devices");
    else
        verdict.fail(checks::chain_links, -1, expected, wrong);
    check_actor(on_behalf.actor, chain.ids.back(), verdict);
}

}  // namespace trust::judge
