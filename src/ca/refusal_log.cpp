// SPDX-License-Identifier: Apache-2.0
#include "ca/refusal_log.hpp"

#include <fmt/format.h>

namespace ca {
namespace {

constexpr std::chrono::seconds summary_window{60};
constexpr std::size_t most_kinds = 10'000;

}  // namespace

void RefusalLog::note(Event refusal, base::Instant now) {
    {
        const auto key = fmt::format("{}\n{}\n{}\n{}\n{}", refusal.reason, refusal.actor.text(),
                                     refusal.actor.peer, refusal.label, refusal.subject);
        const std::lock_guard lock(mutex_);
        if (seen_.size() >= most_kinds) seen_.clear();
        const auto [at, fresh] = seen_.try_emplace(key, Seen{now, 0});
        auto& seen = at->second;
        if (!fresh && now < seen.written + summary_window) {
            ++seen.unwritten;
            return;
        }
        if (seen.unwritten > 0)
            refusal.detail += fmt::format("{}{} more since {}", refusal.detail.empty() ? "" : "; ",
                                          seen.unwritten, base::format_rfc3339(seen.written));
        seen = {now, 0};
    }
    write_(std::move(refusal));
}

}  // namespace ca
