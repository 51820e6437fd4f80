// SPDX-License-Identifier: Apache-2.0
#include "pki/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pki {
namespace {

std::string_view mark(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return "\x1b[32m";
        case Outcome::warned:
            return "\x1b[33m";
        case Outcome::failed:
            return "\x1b[1;31m";
        case Outcome::skipped:
            return "\x1b[2m";
    }
    return "";
}

std::string place(int link) {
    if (link < 0) return {};
    return link == 0 ? "leaf" : fmt::format("link {}", link);
}

// A passed check is told by what was found; only a failed one needs both sides.
std::string detail(const Step& step) {
    switch (step.outcome) {
        case Outcome::passed:
            return step.found.empty() ? step.expected : step.found;
        case Outcome::skipped:
            return step.expected;
        case Outcome::warned:
        case Outcome::failed:
            break;
    }
    if (step.found.empty()) return "expected " + step.expected;
    if (step.expected.empty()) return "found " + step.found;
    return fmt::format("expected {}, found {}", step.expected, step.found);
}

std::string text_of(const Verdict& verdict, bool coloured) {
    std::size_t check_width = 0;
    std::size_t place_width = 0;
    for (const auto& step : verdict.steps) {
        check_width = std::max(check_width, step.check.size());
        place_width = std::max(place_width, place(step.link).size());
    }
    std::string out;
    for (const auto& step : verdict.steps) {
        const std::string what = detail(step);
        std::string line = fmt::format("  {}{:<7}{}  {:<{}}  {:<{}}", coloured ? mark(step.outcome) : "",
                                       to_string(step.outcome), coloured ? "\x1b[0m" : "", step.check,
                                       check_width, place(step.link), place_width);
        if (!what.empty()) line += "  " + what;
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return "passed";
        case Outcome::warned:
            return "warned";
        case Outcome::failed:
            return "failed";
        case Outcome::skipped:
            return "skipped";
    }
    return "unknown";
}

bool Verdict::accepted() const {
    return !steps.empty() && first_failure() == nullptr;
}

const Step* Verdict::first_failure() const {
    const auto at = std::ranges::find(steps, Outcome::failed, &Step::outcome);
    return at == steps.end() ? nullptr : &*at;
}

void Verdict::pass(std::string_view check, int link, std::string expected, std::string found) {
    steps.push_back({check, link, Outcome::passed, std::move(expected), std::move(found)});
}
void Verdict::warn(std::string_view check, int link, std::string expected, std::string found) {
    steps.push_back({check, link, Outcome::warned, std::move(expected), std::move(found)});
}
void Verdict::fail(std::string_view check, int link, std::string expected, std::string found) {
    steps.push_back({check, link, Outcome::failed, std::move(expected), std::move(found)});
}
void Verdict::skip(std::string_view check, int link, std::string expected) {
    steps.push_back({check, link, Outcome::skipped, std::move(expected), {}});
}

void Verdict::append(Verdict more) {
    steps.insert(steps.end(), std::make_move_iterator(more.steps.begin()),
                 std::make_move_iterator(more.steps.end()));
}

std::string to_text(const Verdict& verdict) {
    return text_of(verdict, false);
}
std::string to_coloured_text(const Verdict& verdict) {
    return text_of(verdict, true);
}

std::string summary(const Verdict& verdict) {
    if (verdict.accepted()) return "accepted";
    const Step* failure = verdict.first_failure();
    if (!failure) return "refused: nothing was checked";
    const std::string where = place(failure->link);
    return fmt::format("{} failed{}: {}", failure->check, where.empty() ? where : " at " + where,
                       detail(*failure));
}

}  // namespace pki
