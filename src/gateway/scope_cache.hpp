// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azure/documents.hpp"
#include "base/clock.hpp"
#include "pki/verify.hpp"
#include "trust/record.hpp"

namespace gateway {

/// A CA certificate that was uploaded to the hub and verified there: an anchor for X.509 CA authentication.
struct VerifiedCa {
    std::string name;
    pki::Certificate certificate;
};

/// What the gateway knows about its device scope: records by identity, and the hub's verified CAs. An
/// immutable value, shared by all loops as shared_ptr<const ScopeCache>; a change makes a new one, which
/// shares the records that stayed. Pure.
class ScopeCache {
  public:
    using Records = std::unordered_map<trust::Identity, std::shared_ptr<const trust::Record>>;

    explicit ScopeCache(std::string edge_device) : edge_device_(std::move(edge_device)) {}

    static std::shared_ptr<const ScopeCache> empty(std::string edge_device) {
        return std::make_shared<const ScopeCache>(std::move(edge_device));
    }

    /// nullptr: not in scope as far as we know.
    std::shared_ptr<const trust::Record> find(const trust::Identity& identity) const;
    const Records& records() const { return tree_->records; }
    const pki::TrustBundle& device_cas() const { return *device_cas_; }
    const std::vector<VerifiedCa>& certificates() const { return *certificates_; }
    /// When the hub last confirmed all of it; nullopt: never.
    std::optional<base::Instant> confirmed() const { return confirmed_; }
    /// The number up to which changes of the hub are included.
    std::uint64_t version() const { return version_; }
    const std::string& edge_device() const { return edge_device_; }

    /// "TempSensor;EdgeGateway": the identity, then its parents up to our own edge device (gateway.md 3.2).
    /// nullopt where it does not lead to us, an edge device on the way is disabled, or it is deeper than five
    /// edge layers.
    std::optional<std::string> auth_chain(const trust::Identity& identity) const;

    /// Each gives a new cache.
    std::shared_ptr<const ScopeCache> with_all(const std::vector<trust::Record>& records) const;
    /// Puts the records in place of those with the same identity.
    std::shared_ptr<const ScopeCache> with(const std::vector<trust::Record>& records) const;
    /// Removes the identity; for a device, its modules too.
    std::shared_ptr<const ScopeCache> without(const trust::Identity& identity) const;
    std::shared_ptr<const ScopeCache> with_certificates(std::vector<VerifiedCa> certificates) const;
    std::shared_ptr<const ScopeCache> confirmed_at(base::Instant when, std::uint64_t version) const;

  private:
    struct Tree {
        Records records;
        std::unordered_map<std::string, std::string>
            scope_owners;  ///< deviceScope of an edge device -> its id
        void put(const trust::Record& record);
        void index();
    };
    const trust::Record* parent_of(const trust::Record& device) const;
    std::shared_ptr<const ScopeCache> over(Tree tree) const;

    std::string edge_device_;
    std::shared_ptr<const Tree> tree_ = std::make_shared<const Tree>();
    std::shared_ptr<const std::vector<VerifiedCa>> certificates_ =
        std::make_shared<const std::vector<VerifiedCa>>();
    std::shared_ptr<const pki::TrustBundle> device_cas_ = std::make_shared<const pki::TrustBundle>();
    std::optional<base::Instant> confirmed_;
    std::uint64_t version_ = 0;
};

/// Edge layers that a chain may have, our own included (gateway.md 3.2).
inline constexpr int most_edge_layers = 5;

/// "hub 3 hours ago", for verdicts.
std::string age_text(const ScopeCache& cache, base::Instant now);

}  // namespace gateway
