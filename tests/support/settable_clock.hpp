// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "base/clock.hpp"
#include "net/clock_watch.hpp"

namespace support {

/// Another clock plus what a test adds; who waits for one of its moments follows.
class SettableClock final : public base::Clock {
  public:
    explicit SettableClock(const base::Clock& from = base::system_clock()) : from_(from) {}
    base::Instant now() const override { return from_.now() + ahead(); }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override {
        return from_.now_ms() + ahead();
    }
    void move(std::chrono::seconds by) {
        ahead_ += by.count();
        net::clock_was_set();
    }
    void set(base::Instant when) { move(when - now()); }

  private:
    std::chrono::seconds ahead() const { return std::chrono::seconds(ahead_.load()); }

    const base::Clock& from_;
    std::atomic<std::int64_t> ahead_ = 0;
};

}  // namespace support
