// SPDX-License-Identifier: Apache-2.0
#include "est/client_retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "http/date.hpp"

namespace est {
namespace {

using std::chrono::seconds;
using Kind = Failure::Kind;

constexpr seconds least_wait{1};
constexpr seconds most_wait = std::chrono::hours(24);
constexpr seconds usual_wait{60};
constexpr seconds first_unreachable{5};
constexpr seconds longest_unreachable = std::chrono::minutes(15);
constexpr seconds first_refused{60};
constexpr seconds longest_refused = std::chrono::hours(1);

constexpr std::array<std::pair<Kind, std::string_view>, 5> kinds{{
    {Kind::pending, "pending"},
    {Kind::busy, "busy"},
    {Kind::unreachable, "unreachable"},
    {Kind::refused, "refused"},
    {Kind::rejected, "rejected"},
}};

seconds doubling(seconds first, int failures, seconds most) {
    auto pause = first;
    for (int i = 1; i < failures && pause < most; ++i) pause *= 2;
    return std::min(pause, most);
}

seconds share(seconds whole, double of) {
    return seconds(static_cast<std::int64_t>(std::floor(static_cast<double>(whole.count()) * of)));
}

}  // namespace

std::string_view to_string(Kind kind) {
    return std::ranges::find(kinds, kind, &std::pair<Kind, std::string_view>::first)->second;
}

std::optional<Kind> parse_failure(std::string_view text) {
    for (const auto& [kind, word] : kinds)
        if (word == text) return kind;
    return std::nullopt;
}

seconds retry_after(std::optional<std::string_view> field, base::Instant now) {
    if (!field) return usual_wait;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!field->empty() && std::ranges::all_of(*field, is_digit)) {
        std::int64_t number = 0;
        const auto [end, wrong] = std::from_chars(field->data(), field->data() + field->size(), number);
        if (wrong == std::errc::result_out_of_range || number > most_wait.count()) return most_wait;
        return std::max(seconds(number), least_wait);
    }
    if (const auto date = http::parse_date(*field))
        return std::clamp(std::chrono::duration_cast<seconds>(*date - now), least_wait, most_wait);
    return usual_wait;
}

seconds pause_after(const Failure& failure, int failures, double random) {
    seconds pause{};
    switch (failure.kind) {
        case Kind::pending:
        case Kind::busy:
            // Rounded up, so that short waits are spread as well.
            pause = failure.wait + share(failure.wait + seconds(9), random / 10);
            break;
        case Kind::unreachable:
            pause = share(doubling(first_unreachable, failures, longest_unreachable), random);
            break;
        case Kind::refused:
        case Kind::rejected: {
            const auto longest = doubling(first_refused, failures, longest_refused);
            pause = longest * 4 / 5 + share(longest / 5, random);
            break;
        }
    }
    return std::max(pause, least_wait);
}

}  // namespace est
