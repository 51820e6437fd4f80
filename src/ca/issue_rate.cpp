// SPDX-License-Identifier: Apache-2.0
#include "ca/issue_rate.hpp"

namespace ca {
namespace {

constexpr std::chrono::hours rate_window{1};
constexpr std::size_t most_counted = 100'000;

}  // namespace

bool IssueRate::take(const std::string& caller, const std::string& name, base::Instant now) {
    const auto over = [&](const std::deque<base::Instant>& times) {
        return times.empty() || times.back() + rate_window <= now;
    };
    const std::lock_guard lock(mutex_);
    if (issued_.size() >= most_counted)
        std::erase_if(issued_, [&](const auto& pair) { return over(pair.second); });
    auto& times = issued_[caller + '\n' + name];
    while (!times.empty() && times.front() + rate_window <= now) times.pop_front();
    if (times.size() >= most_) return false;
    times.push_back(now);
    return true;
}

}  // namespace ca
