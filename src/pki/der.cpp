// SPDX-License-Identifier: Apache-2.0
#include "pki/der.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace pki::der {
namespace {

constexpr base::Instant year_2050{std::chrono::seconds{2524608000}};

std::string time_digits(base::Instant when, bool with_century) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(when - day);
    const int year = static_cast<int>(date.year());
    const auto rest = fmt::format("{:02}{:02}{:02}{:02}{:02}Z", static_cast<unsigned>(date.month()),
                                  static_cast<unsigned>(date.day()), time.hours().count(),
                                  time.minutes().count(), time.seconds().count());
    return (with_century ? fmt::format("{:04}", year) : fmt::format("{:02}", year % 100)) + rest;
}

std::optional<int> number(std::string_view digits) {
    int value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

}  // namespace

std::size_t header_size(std::size_t content) {
    if (content < 0x80) return 2;
    std::size_t octets = 0;
    for (auto left = content; left != 0; left >>= 8) ++octets;
    return 2 + octets;
}

void append_header(base::Bytes& out, std::uint8_t tag, std::size_t content) {
    out.push_back(std::byte{tag});
    if (content < 0x80) {
        out.push_back(static_cast<std::byte>(content));
        return;
    }
    const auto octets = header_size(content) - 2;
    out.push_back(static_cast<std::byte>(0x80 | octets));
    for (auto at = octets; at != 0; --at) out.push_back(static_cast<std::byte>(content >> (8 * (at - 1))));
}

void append(base::Bytes& out, Octets bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(base::Bytes& out, std::uint8_t tag, Octets content) {
    append_header(out, tag, content.size());
    append(out, content);
}

base::Bytes wrap(std::uint8_t tag, std::initializer_list<Octets> parts) {
    std::size_t size = 0;
    for (const auto& part : parts) size += part.size();
    base::Bytes out;
    out.reserve(header_size(size) + size);
    append_header(out, tag, size);
    for (const auto& part : parts) append(out, part);
    return out;
}

base::Bytes unsigned_integer(std::uint64_t value) {
    base::Bytes octets;
    do {
        octets.insert(octets.begin(), static_cast<std::byte>(value & 0xff));
        value >>= 8;
    } while (value != 0);
    if ((octets.front() & std::byte{0x80}) != std::byte{0}) octets.insert(octets.begin(), std::byte{0});
    return wrap(integer, {octets});
}

std::size_t time_size(base::Instant when) {
    return when < year_2050 ? 15 : 17;
}

void append_time(base::Bytes& out, base::Instant when) {
    const bool late = when >= year_2050;
    append(out, late ? generalized_time : utc_time, base::as_bytes(time_digits(when, late)));
}

base::Bytes generalized(base::Instant when) {
    return wrap(generalized_time, {base::as_bytes(time_digits(when, true))});
}

std::optional<Element> Reader::next() {
    if (rest_.size() < 2) return std::nullopt;
    const auto tag = std::to_integer<std::uint8_t>(rest_[0]);
    if ((tag & 0x1f) == 0x1f) return std::nullopt;
    std::size_t length = std::to_integer<std::size_t>(rest_[1]);
    std::size_t header = 2;
    if (length >= 0x80) {
        const std::size_t octets = length & 0x7f;
        if (octets == 0 || octets > 4 || rest_.size() < 2 + octets) return std::nullopt;
        length = 0;
        for (std::size_t i = 0; i < octets; ++i)
            length = length << 8 | std::to_integer<std::size_t>(rest_[2 + i]);
        header += octets;
        if (header_size(length) != header) return std::nullopt;
    }
    if (rest_.size() - header < length) return std::nullopt;
    const Element element{tag, rest_.subspan(header, length), rest_.first(header + length)};
    rest_ = rest_.subspan(header + length);
    return element;
}

std::optional<Element> Reader::next(std::uint8_t tag) {
    return at(tag) ? next() : std::nullopt;
}

std::optional<base::Instant> read_time(const Element& element) {
    auto text = base::as_text(element.content);
    std::optional<int> year;
    if (element.tag == utc_time && text.size() == 13) {
        year = number(text.substr(0, 2));
        if (year) *year += *year < 50 ? 2000 : 1900;
        text.remove_prefix(2);
    } else if (element.tag == generalized_time && text.size() == 15) {
        year = number(text.substr(0, 4));
        text.remove_prefix(4);
    }
    if (!year || !text.ends_with('Z')) return std::nullopt;
    const auto month = number(text.substr(0, 2)), day = number(text.substr(2, 2)),
               hour = number(text.substr(4, 2)), minute = number(text.substr(6, 2)),
               second = number(text.substr(8, 2));
    if (!month || !day || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

std::optional<int> read_small_enumerated(Octets element) {
    Reader reader(element);
    const auto value = reader.next(enumerated);
    if (!value || !reader.empty() || value->content.size() != 1) return std::nullopt;
    const auto octet = std::to_integer<int>(value->content.front());
    return octet < 0x80 ? std::optional(octet) : std::nullopt;
}

}  // namespace pki::der
