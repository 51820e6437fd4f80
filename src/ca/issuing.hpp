// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ca/config.hpp"
#include "ca/ledger.hpp"
#include "pki/certificate.hpp"
#include "pki/csr.hpp"
#include "pki/key.hpp"

namespace ca {

/// What signs in a CA's directory: its configuration, its certificates and the key of the lowest one. The
/// keys above are not touched, so that they may be kept elsewhere. From any thread.
struct Issuing {
    Config config;
    pki::Certificate root;
    pki::Chain issuers;    ///< the issuing CA first, without the root; last what a rollover puts above
    pki::Chain published;  ///< what /cacerts has, in its order
    pki::PrivateKey key;
    /// When a leaf of the CAs above was last found good below the root, and until when that holds: until the
    /// first of them ends, and at no time where one of them holds what is below it to names.
    struct Verified {
        std::atomic<std::int64_t> since = 0, until = 0;
    };
    std::shared_ptr<Verified> verified = std::make_shared<Verified>();

    /// Fails with not_found where `data` holds no CA.
    static base::Result<Issuing> load(const std::filesystem::path& data, base::Instant now);

    /// Signs what was ordered and looks at it as a peer will. Leaf first, then the issuers.
    base::Result<pki::Chain> sign(const Order& order, base::Instant now) const;
    const pki::Certificate& issuer() const { return config.chain.empty() ? root : issuers.front(); }
};

/// not_found where `data` holds no CA.
base::Status check_is_ca(const std::filesystem::path& data);

/// Refuses a request that asks for power which its profile does not give: CA:TRUE or certificate signing in a
/// leaf (est-and-pki.md 3.2). Harmless wishes are left to the profile.
base::Status check_wishes(const pki::Csr& csr, pki::Profile profile);

}  // namespace ca
