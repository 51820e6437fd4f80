// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.hpp"

namespace ca {

/// How many certificates one caller has had for one name within the last hour. From any thread.
class IssueRate {
  public:
    explicit IssueRate(int most) : most_(static_cast<std::size_t>(most)) {}
    /// False where it has had as many as it may; else this one is counted.
    bool take(const std::string& caller, const std::string& name, base::Instant now);

  private:
    const std::size_t most_;
    std::mutex mutex_;
    std::map<std::string, std::deque<base::Instant>> issued_;
};

}  // namespace ca
