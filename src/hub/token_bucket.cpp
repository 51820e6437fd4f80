// SPDX-License-Identifier: Apache-2.0
#include "hub/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace hub {

namespace {

/// What sums of doubles may be off: who waits as long as he was told is let through.
constexpr double rounding = 1e-6;

}  // namespace

void TokenBucket::refill(Time now) {
    if (last_ && now > *last_) {
        const std::chrono::duration<double> passed = now - *last_;
        tokens_ = std::min(static_cast<double>(rate_), tokens_ + passed.count() * a_second());
    }
    if (!last_ || now > *last_) last_ = now;
}

std::chrono::milliseconds TokenBucket::until(double tokens) const {
    const double wait = std::max(0.0, tokens - tokens_) / a_second() * 1000.0;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(wait - rounding)));
}

std::optional<std::chrono::milliseconds> TokenBucket::take(Time now) {
    refill(now);
    if (tokens_ >= 1.0 - rounding) {
        tokens_ = std::max(0.0, tokens_ - 1.0);
        return std::nullopt;
    }
    return until(1.0);
}

std::optional<std::chrono::milliseconds> TokenBucket::borrow(Time now, std::chrono::milliseconds most) {
    refill(now);
    const auto wait = until(1.0);
    if (wait > most) return std::nullopt;
    tokens_ -= 1.0;
    return wait;
}

}  // namespace hub
