// SPDX-License-Identifier: Apache-2.0
#include "hub/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace hub {

namespace {

/// What sums of doubles may be off: who waits as long as he was told is let through.
constexpr double rounding = 1e-6;

}  // namespace

std::optional<std::chrono::milliseconds> TokenBucket::take(Time now) {
    const double a_second = static_cast<double>(rate_) / static_cast<double>(period_.count());
    if (last_ && now > *last_) {
        const std::chrono::duration<double> passed = now - *last_;
        tokens_ = std::min(static_cast<double>(rate_), tokens_ + passed.count() * a_second);
    }
    if (!last_ || now > *last_) last_ = now;
    if (tokens_ >= 1.0 - rounding) {
        tokens_ = std::max(0.0, tokens_ - 1.0);
        return std::nullopt;
    }
    const double wait = (1.0 - tokens_) / a_second * 1000.0;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(wait - rounding)));
}

}  // namespace hub
