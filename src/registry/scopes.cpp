// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

constexpr int deepest = 5;  // edge devices above each other, the lowest included (hub.md 5.3)

/// How many edge devices stand above each other from the owner of `scope` on downwards. Gives up one above
/// `budget`.
base::Result<int> height(store::Database& database, const std::string& scope, int budget) {
    int below = 0;
    if (budget > 0) {
        SP_TRY(return, const auto children, rows::child_edge_scopes(database, scope));
        for (const auto& child : children) {
            SP_TRY(return, const int one, height(database, child, budget - 1));
            below = std::max(below, one);
        }
    }
    return below + 1;
}

/// How many from the owner of `scope` on upwards; fails where `device` is one of them.
base::Result<int> depth(store::Database& database, const std::string& device, const std::string& scope) {
    int count = 0;
    for (auto above = scope; !above.empty() && count <= deepest;) {
        SP_TRY(return, const auto owner, rows::scope_owner(database, above));
        if (!owner) return count;  // its gateway was deleted
        if (owner->record.identity.device == device)
            return refusals::device_scope(scope, "lies below " + device + " itself",
                                          "choose a parent that is not its child");
        ++count;
        above = owner->record.parent_scopes.empty() ? std::string() : owner->record.parent_scopes.front();
    }
    return count;
}

}  // namespace

std::vector<std::string> scopes_of(const trust::Record& device) {
    std::vector<std::string> scopes = device.parent_scopes;
    if (device.edge_enabled) scopes.push_back(device.device_scope);
    return scopes;
}

base::Result<std::vector<std::string>> with_those_above(store::Database& database,
                                                        std::vector<std::string> scopes) {
    // A write moves a device at most: two parents and its own scope are the most that the walks start from.
    const auto starts = scopes;
    for (const auto& start : starts) {
        auto at = start;
        for (int layer = 0; layer < deepest; ++layer) {
            SP_TRY(return, const auto owner, rows::scope_owner(database, at));
            if (!owner || owner->record.parent_scopes.empty()) break;
            at = owner->record.parent_scopes.front();
            // Walked already, or a start of its own.
            if (std::ranges::find(scopes, at) != scopes.end()) break;
            scopes.push_back(at);
        }
    }
    return scopes;
}

base::Status check_parent(store::Database& database, const trust::Record& device,
                          const std::string& parent_scope) {
    if (parent_scope.empty()) return {};
    SP_TRY(return, const auto owner, rows::scope_owner(database, parent_scope));
    if (!owner)
        return refusals::device_scope(parent_scope, "belongs to no IoT Edge device",
                                      "give the deviceScope of a registered IoT Edge device");
    SP_TRY(return, const int above, depth(database, device.identity.device, parent_scope));
    int below = 0;
    if (device.edge_enabled) {
        SP_TRY(return, below, height(database, device.device_scope, deepest));
    }
    if (above + below <= deepest) return {};
    return refusals::device_scope(parent_scope, "would put more than 5 IoT Edge devices above each other",
                                  "choose a parent nearer to the hub");
}

}  // namespace registry
