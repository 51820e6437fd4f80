// SPDX-License-Identifier: Apache-2.0
#include "hub/auth_chain.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace hub {

base::Result<std::vector<trust::Identity>> parse_auth_chain(std::string_view text) {
    const auto parts = base::split(text, ';');
    if (parts.size() > deepest_chain) {
        return base::fail(base::Code::malformed, "auth chain",
                          "has " + std::to_string(parts.size()) + " members",
                          "nest edge devices at most five deep");
    }
    std::vector<trust::Identity> members;
    for (const auto part : parts) {
        const auto slash = part.find('/');
        trust::Identity identity{std::string(part.substr(0, slash)), {}};
        if (auto fine = trust::check_id(identity.device, "device id"); !fine)
            return base::fail(base::Code::malformed, "auth chain", fine.error().text());
        if (slash != std::string_view::npos) {
            identity.module = part.substr(slash + 1);
            if (auto fine = trust::check_id(identity.module, "module id"); !fine)
                return base::fail(base::Code::malformed, "auth chain", fine.error().text());
        }
        members.push_back(std::move(identity));
    }
    return members;
}

base::Result<ChainRecords> read_auth_chain(std::string_view text, const std::vector<trust::Identity>& members,
                                           registry::Reader& reader) {
    ChainRecords chain;
    chain.claimed = text;
    for (std::size_t i = 0; i < members.size(); ++i) {
        // `$edgeHub` itself connects with "{edge}/$edgeHub;{edge}" (hub.md 9.2): one device, named twice.
        if (i == 1 && members[0].is_module() && members[1] == trust::Identity{members[0].device, {}})
            continue;
        SP_TRY(return, auto record, reader.record({members[i].device, {}}));
        chain.devices.push_back(std::move(record));
    }
    if (!members.empty()) {
        SP_TRY(return, chain.actor, reader.record({members.back().device, "$edgeHub"}));
    }
    return chain;
}

trust::OnBehalf ChainRecords::view() const {
    trust::OnBehalf on_behalf;
    on_behalf.claimed_chain = claimed;
    on_behalf.actor = actor ? &*actor : nullptr;
    for (const auto& device : devices) on_behalf.links.push_back(device ? &*device : nullptr);
    return on_behalf;
}

bool is_child_of(const trust::Record& child, const trust::Record& parent) {
    if (!parent.edge_enabled || parent.device_scope.empty()) return false;
    if (std::ranges::find(child.parent_scopes, parent.device_scope) != child.parent_scopes.end()) return true;
    // A leaf device names its parent by deviceScope; an edge device's own deviceScope is itself.
    return !child.edge_enabled && child.device_scope == parent.device_scope;
}

base::Result<bool> lies_under(const trust::Record& target, const trust::Record& above,
                              registry::Reader& reader) {
    trust::Record at = target;
    for (std::size_t layer = 1; layer < deepest_chain; ++layer) {
        if (is_child_of(at, above)) return true;
        if (at.parent_scopes.empty()) return false;
        SP_TRY(return, auto parent, reader.scope_owner(at.parent_scopes.front()));
        if (!parent || parent->record.status != trust::Enablement::enabled) return false;
        at = std::move(parent->record);
    }
    return false;
}

base::Status check_scope_chain(const ChainRecords& chain, std::string_view actor) {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::unauthenticated, "auth chain " + chain.claimed, std::move(reason));
    };
    if (chain.devices.empty()) return refuse("is empty");
    const trust::Record* before = nullptr;
    for (const auto& device : chain.devices) {
        if (!device) return refuse("has a member that is not registered");
        if (device->status != trust::Enablement::enabled) return refuse("has a member that is disabled");
        if (before != nullptr && !is_child_of(*before, *device)) {
            return refuse(before->identity.device + " is not a child of " + device->identity.device);
        }
        before = &*device;
    }
    if (before->identity.device != actor) return refuse("does not end at " + std::string(actor));
    return {};
}

}  // namespace hub
