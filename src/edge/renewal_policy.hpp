// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "pki/certificate.hpp"

namespace edge {

/// A share of a certificate's lifetime or a time: "80%", "90min", "2day" (edge-runtime.md 2.7).
struct RenewalAmount {
    enum class Unit { percent, minutes } unit = Unit::percent;
    std::int64_t value = 0;
    friend bool operator==(const RenewalAmount&, const RenewalAmount&) = default;
};

/// Fails with invalid_argument for what is none: "100%", "0min", "1year", "".
base::Result<RenewalAmount> parse_renewal_amount(std::string_view text);
/// As days where the minutes are a whole number of days.
std::string to_string(const RenewalAmount& amount);

/// `auto_renew` of config.toml.
struct RenewalPolicy {
    bool rotate_key = true;  ///< a new key for the new certificate
    /// Percent: what has gone of the lifetime; a time: what is left of it.
    RenewalAmount threshold{RenewalAmount::Unit::percent, 80};
    /// The longest pause between two attempts; percent: of the lifetime.
    RenewalAmount retry{RenewalAmount::Unit::percent, 4};
    friend bool operator==(const RenewalPolicy&, const RenewalPolicy&) = default;
};

/// Reads the table `key` of `parent`: all three keys are required once it is there.
std::optional<RenewalPolicy> read_renewal(base::ConfigTable& parent, std::string_view key);

struct Validity {
    base::Instant not_before;
    base::Instant not_after;
};
Validity validity_of(const pki::Certificate& certificate);

/// Whether it becomes valid only later, as one does that was issued while a clock was ahead: nobody takes it
/// before. Pure.
bool is_ahead(Validity validity, base::Instant now);

/// From when on a certificate is to be renewed: within its dates; at once where they make no sense. Pure.
base::Instant renewal_due(const RenewalPolicy& policy, Validity validity);

/// The pause after attempt `failures` (from 1) has failed: doubles from a minute up to `retry`; never longer
/// than half of what is left of the certificate, nor, once that has ended, than a quarter of an hour. The
/// last fifth of it is left to chance (`random` in [0, 1)), so that a fleet does not ask at the same moment.
/// validity: of the certificate in use; absent where there is none that could be used, and then from a
/// second to a minute. Pure.
std::chrono::seconds renewal_pause(const RenewalPolicy& policy, std::optional<Validity> validity,
                                   int failures, base::Instant now, double random);

}  // namespace edge
