// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <limits>
#include <set>
#include <utility>

#include "base/encoding.hpp"
#include "hub/handlers.hpp"
#include "hub/query.hpp"

namespace hub {

namespace {

constexpr std::size_t changes_at_once = 1000;

/// What a gateway is told of changes: names of identities to fetch again, never their content.
struct ChangeSet {
    std::uint64_t version = 0;
    std::set<std::string> identities;
    bool certificates = false;
    bool all = false;

    bool empty() const { return identities.empty() && !certificates && !all; }
    std::string json() const {
        boost::json::array names;
        for (const auto& name : identities) names.emplace_back(name);
        return boost::json::serialize(boost::json::object{{"version", version},
                                                          {"identities", std::move(names)},
                                                          {"certificates", certificates},
                                                          {"all", all}});
    }
};

bool concerns(const registry::Change& change, const std::string& edge, const std::string& scope) {
    return change.device == edge || std::ranges::find(change.scopes, scope) != change.scopes.end();
}

/// Collects what has happened since `since`. Fails where the registry cannot be read.
base::Result<ChangeSet> collect(registry::Reader& reader, std::uint64_t since, const std::string& edge,
                                const std::string& scope) {
    ChangeSet set;
    set.version = since;
    for (;;) {
        auto changes = reader.changes(set.version, changes_at_once);
        if (!changes) return std::unexpected(std::move(changes).error());
        if (!*changes) {
            auto last = reader.last_change();
            if (!last) return std::unexpected(std::move(last).error());
            return ChangeSet{*last, {}, true, true};
        }
        for (const auto& change : **changes) {
            set.version = change.number;
            if (change.certificates)
                set.certificates = true;
            else if (concerns(change, edge, scope))
                set.identities.insert(trust::Identity{change.device, change.module}.text());
        }
        if ((*changes)->size() < changes_at_once) return set;
    }
}

/// The scope that the caller's edge device has of its own; empty where it is none any more.
base::Result<std::string> scope_of(registry::Reader& reader, const std::string& edge) {
    auto device = reader.device(edge);
    if (!device) return std::unexpected(std::move(device).error());
    if (!*device || !(*device)->record.edge_enabled) return std::string();
    return (*device)->record.device_scope;
}

}  // namespace

Answer get_anchors(Call& call) {
    auto stored = call.here.reader->ca_certificates();
    if (!stored) co_return call.refuse(stored.error());
    boost::json::array list;
    for (const auto& entry : *stored) {
        if (!entry.verified) continue;
        list.push_back(boost::json::object{{"name", entry.name},
                                           {"certificate", base::to_base64(entry.certificate.der())}});
    }
    co_return json_with_etag(
        200, boost::json::serialize(boost::json::object{{"certificates", std::move(list)}}), {});
}

Answer get_scope_changes(Call& call) {
    const std::string edge = call.at("d");
    const auto since =
        query_number(call.request.target, "since", 0, std::numeric_limits<std::int64_t>::max());
    const auto wait = query_number(call.request.target, "wait", 0, longest_wait.count());
    if (!since) co_return call.refuse(since.error());
    if (!wait) co_return call.refuse(wait.error());
    const auto scope = scope_of(*call.here.reader, edge);
    if (!scope) co_return call.refuse(scope.error());
    if (scope->empty())
        co_return call.refuse(azure::ErrorCode::iot_hub_unauthorized_access, edge + " is no edge device");

    if (!*since) {
        // A first question: the gateway fetches everything once and goes on from here.
        const auto last = call.here.reader->last_change();
        if (!last) co_return call.refuse(last.error());
        co_return json_with_etag(200, ChangeSet{*last, {}, true, true}.json(), {});
    }
    auto position = static_cast<std::uint64_t>(**since);
    Waiters::Place place(call.here.scopes, *scope);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(wait->value_or(0));
    for (;;) {
        const auto set = collect(*call.here.reader, position, edge, *scope);
        if (!set) co_return call.refuse(set.error());
        const auto left = net::left_until(until);
        if (!set->empty() || left.count() <= 0 || call.services.stopping) {
            co_return json_with_etag(200, set->json(), {});
        }
        position = set->version;
        co_await place.wait(left);
    }
}

}  // namespace hub
