// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "ca/ledger.hpp"

namespace ca {

/// Writes refusals to the audit log: the first of a kind at once, equal ones within a minute as a number in
/// the line of the next, so that a client that tries every five seconds does not fill it. From any thread.
class RefusalLog {
  public:
    explicit RefusalLog(std::function<void(Event)> write) : write_(std::move(write)) {}
    void note(Event refusal, base::Instant now);

  private:
    struct Seen {
        base::Instant written;
        int unwritten = 0;
    };
    std::function<void(Event)> write_;
    std::mutex mutex_;
    std::map<std::string, Seen> seen_;
};

}  // namespace ca
