// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "hub/telemetry.hpp"

namespace hub {

/// Drops what the message log need not keep any more, at once and then every minute, on a thread of its own
/// until it is destroyed.
class Expiry {
  public:
    /// telemetry, clock: outlive it.
    Expiry(Telemetry& telemetry, Retention retention, const base::Clock& clock);

  private:
    void run(const std::stop_token& stop);

    Telemetry& telemetry_;
    Retention retention_;
    const base::Clock& clock_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;  // last: it ends first
};

}  // namespace hub
