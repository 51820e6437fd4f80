// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/timer.hpp"

namespace hub {

/// Held requests of one loop, by what they wait for. On its own loop.
class Waiters {
  public:
    /// A place in the queue of a subject, for as long as it lives. What happens while its owner reads is
    /// remembered, so that "read, wait, read" misses nothing.
    class Place {
      public:
        Place(Waiters& waiters, std::string subject);
        ~Place();
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        /// True when woken, false after `limit` or when cancelled.
        net::Task<bool> wait(std::chrono::milliseconds limit) { return event_.wait(limit); }

      private:
        friend class Waiters;
        Waiters& waiters_;
        std::unordered_multimap<std::string, Place*>::iterator at_;
        net::Event event_;
    };

    void wake(const std::string& subject);
    void wake_all();

  private:
    std::unordered_multimap<std::string, Place*> places_;
};

/// What is left until then, for the limit of a wait; not positive once it has passed.
inline std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point until) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
}

}  // namespace hub
