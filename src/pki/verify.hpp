// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "pki/certificate.hpp"
#include "pki/crl.hpp"
#include "pki/peer_name.hpp"
#include "pki/purpose.hpp"
#include "pki/trust_bundle.hpp"
#include "pki/verdict.hpp"

namespace pki {

/// Where operators differ. The default is `azure`: a leaf without any SAN may be named by its CN.
enum class Policy { azure, strict };

struct VerifyInput {
    const Chain& chain;  ///< leaf first, as the peer sent it; gaps and extras allowed
    const TrustBundle& trust;
    const std::vector<Certificate>* intermediates = nullptr;  ///< further candidates for issuers
    Purpose purpose = Purpose::any;
    const std::optional<PeerName>* name = nullptr;  ///< what was dialled; none: no name is checked
    base::Instant now;                              ///< UTC; the only time that this function knows
    Policy policy = Policy::azure;
    const CrlSet* crls = nullptr;  ///< null: nobody is asked about revocation
    /// A CRL that was made longer ago than this says nothing any more, and the step fails; none: it stays in
    /// force for ever, with a warning once its nextUpdate is over.
    std::optional<std::chrono::seconds> crl_max_age{};
};

struct Verification {
    Verdict verdict;
    Chain path;  ///< leaf to anchor where accepted; else the best path tried, which the steps tell about
};

/// Decides whether the chain may be trusted for `purpose`, `name` and moment.
/// Builds the path itself: tries every candidate issuer within a budget (100 signature checks, depth 10,
/// 5,000 name comparisons; over it the step "path.budget" fails). Validates by RFC 5280 section 6 (basic
/// constraints, path length, key usage, EKU through the chain, name constraints on DNS, IP, directory and
/// e-mail names, unknown critical extensions, key strength and signature algorithms of OpenSSL's security
/// level 2) and names by RFC 9525 (CN only where the leaf has no SAN at all, and never for Policy::strict).
/// Pure: no clock, no file, no network; bad input is a failed step, never an exception.
/// Revocation is asked of `crls` alone, for each certificate of an anchored path by its own issuer's CRL; one
/// that is revoked is as good as none, so another path may do. No CRL of an issuer: the step is skipped.
/// Not done: policy tree.
Verification verify(const VerifyInput& input);

}  // namespace pki
