// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "check/finding.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/verify.hpp"

namespace check {

/// Within this time before its end a certificate is warned about (edge-runtime.md 10.1).
inline constexpr std::chrono::days soon{7};

/// Whether every certificate of the chain is valid now: not yet or no longer is an error, an end within seven
/// days a warning (for a short life: within the last tenth, so that a renewal at four fifths is in time).
/// fix: how this one is renewed.
Finding judge_validity(const std::string& thing, const pki::Chain& chain, base::Instant now,
                       const std::string& fix);

/// When a certificate that the services renew themselves must have been renewed at the latest.
struct Schedule {
    base::Instant due;   ///< its threshold
    base::Instant late;  ///< two tries later
};
/// Whether renewal keeps up: an error where the certificate has ended, a warning where it is late.
Finding judge_schedule(const std::string& thing, const pki::Certificate& leaf, const Schedule& schedule,
                       base::Instant now);

/// Whether each certificate is followed by its issuer, the first being the leaf (RFC 8446 4.4.2).
Finding judge_order(const std::string& thing, const pki::Chain& chain);

Finding judge_pair(const std::string& thing, const pki::Certificate& leaf, const pki::PublicKey& key);

/// An error for a key that no certificate may have, a warning for one that others find weak or odd: RSA below
/// 2048 bits, curves but P-256 (edge-runtime.md 10.1, key-pairs-read).
Finding judge_key(const std::string& thing, const pki::PublicKey& key);

/// Whether it may issue: basicConstraints CA:TRUE.
Finding judge_is_ca(const std::string& thing, const pki::Certificate& certificate);

/// Whether the chain may be trusted, by pki::verify. fix: where the failed step has no advice of its own.
Finding judge_trust(const std::string& thing, const pki::VerifyInput& input, const std::string& fix);
/// The same of a verdict that was made elsewhere.
Finding judge_verdict(const std::string& thing, const pki::Verdict& verdict, const std::string& fix);

/// Whether the bundle holds the root (or the last issuer) of the chain.
Finding judge_own_root(const pki::Chain& chain, const pki::TrustBundle& bundle, base::Instant now);

}  // namespace check
