// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace hub {

/// So many operations a period, on average; up to that many at once after a rest. Pure: the time comes in,
/// and may stand still but not run backwards (then nothing is added). Not for concurrent use.
class TokenBucket {
  public:
    using Time = std::chrono::steady_clock::time_point;
    /// rate: 1 or more. It begins full at the first take.
    TokenBucket(std::uint32_t rate, std::chrono::seconds period)
        : rate_(rate), period_(period), tokens_(rate) {}

    /// Takes one; nullopt: it was there. Otherwise nothing is taken, and this is how long until one is.
    std::optional<std::chrono::milliseconds> take(Time now);
    /// Takes one even where none is there, for what cannot be turned away: after how long the debt is paid,
    /// 0 where there is none. Where that would be longer than `most`, nothing is taken: nullopt.
    std::optional<std::chrono::milliseconds> borrow(Time now, std::chrono::milliseconds most);

  private:
    double a_second() const { return static_cast<double>(rate_) / static_cast<double>(period_.count()); }
    void refill(Time now);
    std::chrono::milliseconds until(double tokens) const;

    std::uint32_t rate_;
    std::chrono::seconds period_;
    double tokens_;
    std::optional<Time> last_;
};

}  // namespace hub
