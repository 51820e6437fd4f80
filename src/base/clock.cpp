// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace base {
namespace {

struct Civil {
    int year;
    unsigned month, day;
    long hour, minute, second;
    unsigned weekday;
};

Civil civil(Instant when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const auto rest = (when - day).count();
    return {int(date.year()),
            unsigned(date.month()),
            unsigned(date.day()),
            rest / 3600,
            rest / 60 % 60,
            rest % 60,
            std::chrono::weekday{day}.c_encoding()};
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

}  // namespace

std::string format_rfc3339(Instant when) {
    const auto c = civil(when);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second);
}

std::string format_rfc3339_ms(std::chrono::sys_time<std::chrono::milliseconds> when) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
    const auto c = civil(seconds);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second, (when - seconds).count());
}

std::string format_rfc1123(Instant when) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto c = civil(when);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[c.weekday], c.day,
                       months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

Result<Instant> parse_rfc3339(std::string_view text) {
    const auto bad = [&] {
        return fail(Code::malformed, fmt::format("time \"{}\"", text.substr(0, 40)), "is not RFC 3339",
                    "write it as 2026-11-25T10:00:00Z");
    };
    const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return bad();
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return bad();
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month(unsigned(*month)),
                                           std::chrono::day(unsigned(*day))};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return bad();
    std::size_t at = 19;
    if (at < text.size() && text[at] == '.') {
        const std::size_t first = ++at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        if (at == first) return bad();
    }
    if (at >= text.size()) return bad();
    std::chrono::minutes offset{0};
    if (text[at] == 'Z' || text[at] == 'z') {
        ++at;
    } else if (text[at] == '+' || text[at] == '-') {
        const auto oh = digits(text, at + 1, 2), om = digits(text, at + 4, 2);
        if (!oh || !om || text[at + 3] != ':' || *oh > 23 || *om > 59) return bad();
        offset = std::chrono::hours{*oh} + std::chrono::minutes{*om};
        if (text[at] == '-') offset = -offset;
        at += 6;
    } else {
        return bad();
    }
    if (at != text.size()) return bad();
    return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
           std::chrono::seconds{*second} - offset;
}

std::string format_duration(std::chrono::seconds duration) {
    const auto total = std::abs(duration.count());
    const auto say = [](long long count, const char* unit) {
        return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
    };
    if (total >= 86400) return say(total / 86400, "day");
    if (total >= 3600) return say(total / 3600, "hour");
    if (total >= 60) return say(total / 60, "minute");
    return say(total, "second");
}

}  // namespace base
