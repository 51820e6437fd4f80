// SPDX-License-Identifier: Apache-2.0
#include "edge/renewal_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/result.hpp"

namespace edge {
namespace {

using std::chrono::seconds;
using Unit = RenewalAmount::Unit;

constexpr std::int64_t minutes_a_day = 24 * 60;
// As long as the longest certificate that anybody could ask for.
constexpr std::int64_t most_minutes = 36500 * minutes_a_day;
constexpr seconds clock_skew = std::chrono::minutes(5);
constexpr seconds first_while_valid = std::chrono::minutes(1);
constexpr seconds longest_when_expired = std::chrono::minutes(15);
constexpr seconds first_without = seconds(1);
constexpr seconds longest_without = std::chrono::minutes(1);

std::unexpected<base::Error> no_amount(std::string_view text) {
    return base::fail(base::Code::invalid_argument, fmt::format("\"{}\"", text),
                      "is no share of a lifetime and no time", "write \"80%\", \"90min\" or \"10day\"");
}

/// `share` percent of a lifetime, rounded up: a whole percent has gone only then.
seconds percent_of(seconds lifetime, std::int64_t share) {
    return seconds(lifetime.count() / 100 * share + (lifetime.count() % 100 * share + 99) / 100);
}

seconds amount_of(const RenewalAmount& amount, seconds lifetime) {
    if (amount.unit == Unit::minutes) return std::chrono::minutes(amount.value);
    return percent_of(lifetime, amount.value);
}

seconds doubled(seconds first, int failures, seconds most) {
    auto pause = std::min(first, most);
    for (int i = 1; i < failures && pause < most; ++i) pause = std::min(pause * 2, most);
    return pause;
}

}  // namespace

base::Result<RenewalAmount> parse_renewal_amount(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (wrong != std::errc() || number < 1) return no_amount(text);
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (unit == "%" && number < 100) return RenewalAmount{Unit::percent, number};
    if (unit == "min" && number <= most_minutes) return RenewalAmount{Unit::minutes, number};
    if (unit == "day" && number <= most_minutes / minutes_a_day)
        return RenewalAmount{Unit::minutes, number * minutes_a_day};
    return no_amount(text);
}

std::string to_string(const RenewalAmount& amount) {
    if (amount.unit == Unit::percent) return fmt::format("{}%", amount.value);
    if (amount.value % minutes_a_day == 0) return fmt::format("{}day", amount.value / minutes_a_day);
    return fmt::format("{}min", amount.value);
}

std::optional<RenewalPolicy> read_renewal(base::ConfigTable& parent, std::string_view key) {
    auto table = parent.table(key);
    if (!table) return std::nullopt;
    RenewalPolicy policy;
    const auto rotate = table->boolean("rotate_key");
    if (!rotate) table->complain("rotate_key", "is missing", "write true or false");
    policy.rotate_key = rotate.value_or(true);
    const auto read = [&](std::string_view name, RenewalAmount& into) {
        const auto text = table->string(name);
        const auto amount = parse_renewal_amount(text.value_or(""));
        if (!amount)
            table->complain(name, text ? amount.error().text() : "is missing",
                            "write \"80%\", \"90min\" or \"10day\"");
        else
            into = *amount;
    };
    read("threshold", policy.threshold);
    read("retry", policy.retry);
    return policy;
}

Validity validity_of(const pki::Certificate& certificate) {
    return {certificate.not_before(), certificate.not_after()};
}

bool is_ahead(Validity validity, base::Instant now) {
    return validity.not_before > now + clock_skew;
}

base::Instant renewal_due(const RenewalPolicy& policy, Validity validity) {
    const auto [begin, end] = validity;
    if (begin >= end) return end;
    const auto due = policy.threshold.unit == Unit::percent
                         ? begin + percent_of(end - begin, policy.threshold.value)
                         : end - std::chrono::minutes(policy.threshold.value);
    return std::clamp(due, begin, end);
}

seconds renewal_pause(const RenewalPolicy& policy, std::optional<Validity> validity, int failures,
                      base::Instant now, double random) {
    seconds pause{};
    if (!validity) {
        pause = doubled(first_without, failures, longest_without);
    } else {
        const auto lifetime = std::max<seconds>(validity->not_after - validity->not_before, seconds(0));
        pause = doubled(first_while_valid, failures, amount_of(policy.retry, lifetime));
        const auto left = std::chrono::floor<seconds>(validity->not_after - now);
        pause = std::min(pause, left > seconds(0) ? left / 2 : longest_when_expired);
    }
    const auto certain = pause * 4 / 5;
    return std::max(seconds(1), certain + seconds(static_cast<std::int64_t>(
                                              static_cast<double>((pause - certain).count()) * random)));
}

}  // namespace edge
