// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ca/config.hpp"
#include "ca/inventory.hpp"
#include "ca/refusal.hpp"
#include "est/message.hpp"
#include "pki/certificate.hpp"
#include "pki/trust_bundle.hpp"

namespace ca {

/// Who asks, once proven (est-and-pki.md 3.1).
struct Caller {
    Actor actor;
    std::string device;          ///< whom the credential binds; empty for users
    std::optional<Entry> entry;  ///< of the inventory, where a certificate of ours was presented
    std::optional<pki::Certificate> certificate;
    const BootstrapConfig* bootstrap = nullptr;
    const UserConfig* user = nullptr;
    bool expired = false;  ///< let in by renew_after_expiry alone
};

/// The anchors of one `[[bootstrap]]`.
struct BootstrapAnchors {
    const BootstrapConfig* config;
    pki::TrustBundle trust;
};

/// What certificates of callers are judged by. Immutable but for what the functions look up.
struct CallerRules {
    const Config& config;
    pki::TrustBundle own;      ///< our CAs
    pki::Chain intermediates;  ///< ours, for clients that send their leaf alone
    std::vector<BootstrapAnchors> bootstraps;
    std::function<std::optional<Entry>(const pki::Certificate&)> find;  ///< in the inventory, octet by octet
    std::function<bool(const std::string& device)> is_blocked;
};

/// Judges what was presented in TLS, of which possession of the leaf's key is proven, in the order of
/// est-and-pki.md 3.3. peer: address without port. Not empty: `presented`.
Granted<Caller> judge_certificate(const CallerRules& rules, const pki::Chain& presented,
                                  est::Operation operation, const std::string& peer, base::Instant now);

/// Whether the caller may use this operation at this label at all: labels of its entry, a profile for its
/// kind, a certificate for a renewal.
Granted<void> admit(const Caller& caller, const LabelConfig& label, est::Operation operation);

}  // namespace ca
