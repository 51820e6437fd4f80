// SPDX-License-Identifier: Apache-2.0
#include "http/date.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace http {

std::optional<base::Instant> parse_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::string_view form = "Wed, 25 Nov 2026 10:00:00 GMT";
    if (text.size() != form.size()) return std::nullopt;
    const auto* month = std::ranges::find(months, text.substr(8, 3));
    if (month == months.end()) return std::nullopt;
    const auto number = std::to_string(month - months.begin() + 101).substr(1);
    std::string rfc3339;
    for (const auto part :
         {text.substr(12, 4), std::string_view("-"), std::string_view(number), std::string_view("-"),
          text.substr(5, 2), std::string_view("T"), text.substr(17, 8), std::string_view("Z")})
        rfc3339 += part;
    const auto when = base::parse_rfc3339(rfc3339);
    // What is not where it was looked for, a wrong day of the week too, shows where it is written again.
    if (!when || base::format_rfc1123(*when) != text) return std::nullopt;
    return *when;
}

}  // namespace http
