// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <list>

#include "base/error.hpp"
#include "net/timer.hpp"

namespace gateway {

/// Wakes every task that waits (net::Event wakes one). On its own loop.
class Broadcast {
  public:
    /// True when notified, false after `limit` or when cancelled.
    net::Task<bool> wait(std::chrono::milliseconds limit);
    void notify_all();

  private:
    std::list<net::Event*> waiters_;
};

/// The pause before attempt `attempt` (from 1): doubles from half a second, at most 15 s, of which the upper
/// half is left to chance. random: in [0, 1). Pure.
std::chrono::milliseconds backoff(int attempt, double random);
/// The same with a random number of this thread.
std::chrono::milliseconds backoff(int attempt);

/// Whether the hub can be reached: one state for everything that talks to it, so that a dead hub sees one
/// attempt at a time and its return wakes all (gateway.md 4). On its own loop.
class HubLink {
  public:
    bool up() const { return up_; }
    /// Returns once the caller may talk to the hub: at once while it is up; otherwise when the pause is over
    /// and the caller is the one that tries. Who got true reports by `succeeded` or `failed`. False:
    /// cancelled.
    net::Task<bool> turn();
    /// Returns once the hub is up, without trying. False: cancelled.
    net::Task<bool> wait_up();
    /// The hub answered, whatever it said.
    void succeeded();
    /// It could not be reached.
    void failed(const base::Error& why);
    /// The turn was not used: something of ours failed before the hub was asked.
    void unused();
    /// Wakes those that wait for their turn, so that they see that the gateway stops.
    void stop();

  private:
    bool up_ = true;
    bool trying_ = false;
    bool stopped_ = false;
    int attempt_ = 0;
    std::chrono::steady_clock::time_point next_{};
    std::chrono::steady_clock::time_point trying_since_{};
    Broadcast changed_;
};

}  // namespace gateway
