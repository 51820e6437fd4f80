// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "check/run.hpp"

namespace check {
namespace {

// A reason may have several lines, as that of a configuration has; the report has one line a check.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += "; ";
        else
            out += c;
    }
    return out;
}

std::string summary(const Report& report) {
    std::array<std::size_t, 6> counts{};
    for (const auto& each : report) ++counts[static_cast<std::size_t>(each.finding.outcome)];
    const auto of = [&](Outcome outcome) { return counts[static_cast<std::size_t>(outcome)]; };
    return fmt::format("{} ok, {} warnings, {} errors, {} unknown, {} skipped\n", of(Outcome::ok),
                       of(Outcome::warning), of(Outcome::error), of(Outcome::unknown), of(Outcome::skipped));
}

}  // namespace

std::string to_text(const Report& report) {
    std::size_t width = 0;
    for (const auto& each : report) width = std::max(width, each.check.id.size());
    std::string text;
    std::string_view group;
    for (const auto& [check, finding] : report) {
        if (finding.outcome == Outcome::ignored) continue;
        if (check.group != group) text += fmt::format("{}{}\n", group.empty() ? "" : "\n", check.group);
        group = check.group;
        text +=
            fmt::format("  {:<8} {:<{}}  {}\n", to_string(finding.outcome), check.id, width,
                        one_line(finding.reason.empty() ? std::string(check.description) : finding.reason));
        if (!finding.fix.empty()) text += fmt::format("  {:<8} fix: {}\n", "", one_line(finding.fix));
    }
    return text + fmt::format("{}{}", text.empty() ? "" : "\n", summary(report));
}

std::string to_json(const Report& report) {
    boost::json::array checks;
    for (const auto& [check, finding] : report)
        checks.push_back(boost::json::object{{"id", check.id},
                                             {"description", check.description},
                                             {"result", to_string(finding.outcome)},
                                             {"reason", finding.reason},
                                             {"fix", finding.fix}});
    return boost::json::serialize(boost::json::object{{"checks", std::move(checks)}});
}

}  // namespace check
