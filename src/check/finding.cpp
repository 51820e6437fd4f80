// SPDX-License-Identifier: Apache-2.0
#include "check/finding.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace check {
namespace {

constexpr std::array<std::string_view, 6> words{"ok", "ignored", "skipped", "unknown", "warning", "error"};

void append(std::string& text, const std::string& more) {
    if (more.empty() || text.find(more) != std::string::npos) return;
    if (!text.empty()) text += "; ";
    text += more;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    return words[static_cast<std::size_t>(outcome)];
}

Finding ok(std::string reason) {
    return {Outcome::ok, std::move(reason), {}};
}
Finding ignored(std::string reason) {
    return {Outcome::ignored, std::move(reason), {}};
}
Finding skipped(std::string reason) {
    return {Outcome::skipped, std::move(reason), {}};
}
Finding warning(std::string reason, std::string fix) {
    return {Outcome::warning, std::move(reason), std::move(fix)};
}
Finding error(std::string reason, std::string fix) {
    return {Outcome::error, std::move(reason), std::move(fix)};
}
Finding unknown(std::string reason, std::string fix) {
    return {Outcome::unknown, std::move(reason), std::move(fix)};
}

Finding failed(const base::Error& why, std::string fix) {
    auto reason = why.thing;
    if (!reason.empty() && !why.reason.empty()) reason += ' ';
    reason += why.reason;
    if (why.code == base::Code::permission_denied)
        return unknown(std::move(reason), "run sallyport check as root, or as the user of edge run");
    return error(std::move(reason), why.fix.empty() ? std::move(fix) : why.fix);
}

Finding worst(const std::vector<Finding>& findings, std::string good) {
    Outcome found = Outcome::ok;
    for (const auto& each : findings) found = std::max(found, each.outcome);
    if (found < Outcome::unknown) return ok(std::move(good));
    Finding all{found, {}, {}};
    for (const auto& each : findings) {
        if (each.outcome < Outcome::unknown) continue;
        append(all.reason, each.reason);
        append(all.fix, each.fix);
    }
    return all;
}

}  // namespace check
