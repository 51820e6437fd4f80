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

/// What a request may ask to wait for news.
inline constexpr std::chrono::seconds longest_wait{55};

}  // namespace hub
