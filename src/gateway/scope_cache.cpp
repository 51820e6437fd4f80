// SPDX-License-Identifier: Apache-2.0
#include "gateway/scope_cache.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace {

/// The scopes that a device lies in: those of its parents (gateway.md 3.1).
std::vector<std::string> parents(const trust::Record& device) {
    if (!device.parent_scopes.empty() || device.edge_enabled || device.device_scope.empty()) {
        return device.parent_scopes;
    }
    return {device.device_scope};
}

}  // namespace

std::shared_ptr<const trust::Record> ScopeCache::find(const trust::Identity& identity) const {
    const auto at = tree_->records.find(identity);
    return at == tree_->records.end() ? nullptr : at->second;
}

const trust::Record* ScopeCache::parent_of(const trust::Record& device) const {
    const trust::Record* any = nullptr;
    for (const auto& scope : parents(device)) {
        const auto owner = tree_->scope_owners.find(scope);
        if (owner == tree_->scope_owners.end() || owner->second == device.identity.device) continue;
        const auto record = tree_->records.find({owner->second, ""});
        if (record == tree_->records.end()) continue;
        // Of several parents the one that is us is the shortest way.
        if (owner->second == edge_device_) return record->second.get();
        any = record->second.get();
    }
    return any;
}

std::optional<std::string> ScopeCache::auth_chain(const trust::Identity& identity) const {
    const auto target = find(identity);
    const auto device = find({identity.device, ""});
    if (!target || !device) return std::nullopt;
    std::string chain = identity.text();
    if (identity.is_module()) chain += ";" + identity.device;
    const trust::Record* at = device.get();
    int layers = 0;
    while (true) {
        if (at->edge_enabled) {
            if (at->status != trust::Enablement::enabled || ++layers > most_edge_layers) return std::nullopt;
        }
        if (at->identity.device == edge_device_) return chain;
        at = parent_of(*at);
        // Only edge devices are parents, so that a circle runs into the limit of layers.
        if (!at) return std::nullopt;
        chain += ";" + at->identity.device;
    }
}

void ScopeCache::Tree::put(const trust::Record& record) {
    records[record.identity] = std::make_shared<const trust::Record>(record);
}

void ScopeCache::Tree::index() {
    scope_owners.clear();
    for (const auto& [identity, record] : records) {
        if (!identity.is_module() && record->edge_enabled && !record->device_scope.empty()) {
            scope_owners[record->device_scope] = identity.device;
        }
    }
    // A module has its device's status (gateway.md 3.5: modules carry none).
    for (auto& [identity, record] : records) {
        if (!identity.is_module()) {
            if (record->device_status == record->status) continue;
            auto own = *record;
            own.device_status = own.status;
            record = std::make_shared<const trust::Record>(std::move(own));
            continue;
        }
        const auto device = records.find({identity.device, ""});
        // A module whose device nobody told us about opens nothing.
        const auto status = device == records.end() ? trust::Enablement::disabled : device->second->status;
        if (record->device_status == status) continue;
        auto module = *record;
        module.device_status = status;
        record = std::make_shared<const trust::Record>(std::move(module));
    }
}

std::shared_ptr<const ScopeCache> ScopeCache::over(Tree tree) const {
    tree.index();
    auto next = std::make_shared<ScopeCache>(*this);
    next->tree_ = std::make_shared<const Tree>(std::move(tree));
    return next;
}

std::shared_ptr<const ScopeCache> ScopeCache::with_all(const std::vector<trust::Record>& records) const {
    Tree tree;
    for (const auto& record : records) tree.put(record);
    return over(std::move(tree));
}

std::shared_ptr<const ScopeCache> ScopeCache::with(const std::vector<trust::Record>& records) const {
    Tree tree = *tree_;
    for (const auto& record : records) tree.put(record);
    return over(std::move(tree));
}

std::shared_ptr<const ScopeCache> ScopeCache::without(const trust::Identity& identity) const {
    Tree tree = *tree_;
    if (identity.is_module()) {
        tree.records.erase(identity);
    } else {
        std::erase_if(tree.records, [&](const auto& entry) { return entry.first.device == identity.device; });
    }
    return over(std::move(tree));
}

std::shared_ptr<const ScopeCache> ScopeCache::with_certificates(std::vector<VerifiedCa> certificates) const {
    auto next = std::make_shared<ScopeCache>(*this);
    std::vector<pki::Certificate> anchors;
    anchors.reserve(certificates.size());
    for (const auto& ca : certificates) anchors.push_back(ca.certificate);
    next->device_cas_ = std::make_shared<const pki::TrustBundle>(std::move(anchors));
    next->certificates_ = std::make_shared<const std::vector<VerifiedCa>>(std::move(certificates));
    return next;
}

std::shared_ptr<const ScopeCache> ScopeCache::confirmed_at(base::Instant when, std::uint64_t version) const {
    auto next = std::make_shared<ScopeCache>(*this);
    next->confirmed_ = when;
    next->version_ = version;
    return next;
}

std::string age_text(const ScopeCache& cache, base::Instant now) {
    if (!cache.confirmed()) return "never confirmed by the hub";
    const auto age = std::max(now - *cache.confirmed(), std::chrono::seconds(0));
    return "verified by the hub " + base::format_duration(age) + " ago";
}

}  // namespace gateway
