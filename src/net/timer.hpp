// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "base/clock.hpp"
#include "net/task.hpp"

namespace net {

/// What is left until `end`, for the limit of a wait; 0 once it has passed.
std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point end);

/// Waits; false where it was cancelled first.
Task<bool> sleep_for(std::chrono::milliseconds duration);

/// Something that one task waits for and others on the same loop announce. Waking is never lost: a `notify`
/// before the wait is remembered once.
class Event {
  public:
    Event();
    ~Event();
    /// Returns true when notified, false after `limit` or when cancelled.
    Task<bool> wait(std::chrono::milliseconds limit);
    /// Returns true when notified, false when cancelled or once `clock` shows `when`, also where that clock
    /// is set meanwhile (net/clock_watch.hpp).
    Task<bool> wait_until(base::Instant when, const base::Clock& clock);
    void notify();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace net
