// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <thread>

#include "net/loop.hpp"
#include "support/certificates.hpp"

namespace support {

/// Loops that run in threads of their own beside the test, stopped by the destructor.
class ServingLoops {
  public:
    explicit ServingLoops(std::size_t count = 1, std::chrono::seconds grace = std::chrono::seconds(10))
        : loops_(count), thread_([this, grace] { loops_.run({}, grace); }) {}
    ServingLoops(const ServingLoops&) = delete;
    ServingLoops& operator=(const ServingLoops&) = delete;
    ~ServingLoops() { stop(); }
    /// Stops and waits until they have ended.
    void stop() {
        if (!thread_.joinable()) return;
        loops_.stop();
        thread_.join();
    }
    net::Loops& loops() { return loops_; }
    net::Loop& first() { return loops_.at(0); }

  private:
    net::Loops loops_;
    std::thread thread_;
};

/// A clock that stands still, at test_time() unless told otherwise.
class StoppedClock : public base::Clock {
  public:
    explicit StoppedClock(base::Instant when = test_time()) : when_(when) {}
    base::Instant now() const override { return when_; }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override { return when_; }

  private:
    base::Instant when_;
};

}  // namespace support
