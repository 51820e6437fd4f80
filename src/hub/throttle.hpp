// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

#include "http/message.hpp"
#include "hub/config.hpp"
#include "hub/token_bucket.hpp"

namespace hub {

/// The kind of operation that a route of the table is, by its path as it stands there. Pure.
Operation operation_of(http::Verb verb, std::string_view route);
/// "registry operations": for people.
std::string_view to_string(Operation operation);

/// Longest delay of a sender over MQTT: its keep-alive is not looked at meanwhile.
inline constexpr std::chrono::milliseconds longest_delay{10'000};

/// The rates of `[throttle]`, each for the whole hub. From any thread.
class Throttle {
  public:
    explicit Throttle(const ThrottleRates& rates);
    /// Counts one operation; nullopt: it may go on. Otherwise after how long it may be tried again.
    std::optional<std::chrono::milliseconds> take(Operation operation, TokenBucket::Time now);
    /// Counts one operation that has come already; nullopt: it may not go on. Otherwise after how long the
    /// next of its sender may come, 0 where at once.
    std::optional<std::chrono::milliseconds> delay(Operation operation, TokenBucket::Time now);

  private:
    struct Gate {
        std::mutex mutex;
        std::optional<TokenBucket> bucket;  ///< nullopt: no limit
    };
    std::array<Gate, operations> gates_;
};

}  // namespace hub
