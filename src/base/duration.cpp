// SPDX-License-Identifier: Apache-2.0
#include "base/duration.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>

namespace base {
namespace {

constexpr std::int64_t longest = std::int64_t{10'000} * 366 * 86'400;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view white = " \t\r\n";
    const auto first = text.find_first_not_of(white);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

std::optional<std::int64_t> seconds_of(char unit) {
    switch (unit) {
        case 'd':
            return 86'400;
        case 'h':
            return 3'600;
        case 'm':
            return 60;
        case 's':
            return 1;
        default:
            return std::nullopt;
    }
}

/// What "12h30m" says; nullopt where it is none.
std::optional<std::int64_t> sum_of(std::string_view text) {
    if (text == "0") return 0;
    if (text.empty()) return std::nullopt;
    std::int64_t total = 0;
    while (!text.empty()) {
        std::uint32_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        const auto used = static_cast<std::size_t>(end - text.data());
        if (error != std::errc{} || used == text.size()) return std::nullopt;
        const auto unit = seconds_of(text[used]);
        if (!unit) return std::nullopt;
        total += count * *unit;
        if (total > longest) return std::nullopt;
        text.remove_prefix(used + 1);
    }
    return total;
}

}  // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
    auto rest = trimmed(text);
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    const auto total = sum_of(rest);
    if (!total)
        return fail(Code::malformed, fmt::format("duration \"{}\"", text.substr(0, 40)), "cannot be read",
                    "write it as 90d, -12h or 1d12h30m");
    return std::chrono::seconds(negative ? -*total : *total);
}

}  // namespace base
