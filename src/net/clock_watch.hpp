// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/clock.hpp"
#include "net/task.hpp"

namespace net {

class Loop;

/// Tells when a clock was set: by an operator, by NTP after a boot without a clock, by a machine that slept.
/// Who waits for a moment of a base::Clock looks at it again then. On its own loop, which it must not
/// outlive.
class ClockWatch {
  public:
    explicit ClockWatch(std::function<void()> was_set);
    ~ClockWatch();
    ClockWatch(const ClockWatch&) = delete;
    ClockWatch& operator=(const ClockWatch&) = delete;

  private:
    friend class ClockWatches;
    Loop& loop_;
    std::function<void()> was_set_;
};

/// Calls every watch of the process, each on its loop. The machine's clock needs no call: while there are
/// watches it is looked at every 5 s. For whoever sets another clock. From any thread.
void clock_was_set();

/// Waits until `clock` shows `when`, also where it is set meanwhile; false where it was cancelled first.
Task<bool> sleep_until(base::Instant when, const base::Clock& clock);
/// The same, and ends with true too when the clock is set: for who reckons the moment anew then.
Task<bool> sleep_until_or_set(base::Instant when, const base::Clock& clock);

}  // namespace net
