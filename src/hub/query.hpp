// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "hub/answer.hpp"

namespace hub {

/// The whole text as a decimal number; nullopt where it is none or does not fit.
template <std::integral Number>
std::optional<Number> to_number(std::string_view text) {
    Number number{};
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

/// A number with its bounds; refused (400004) with its name where it is none.
std::expected<std::int64_t, Refusal> read_number(std::string_view text, std::string_view name,
                                                 std::int64_t least, std::int64_t most);
/// A number of the query; nullopt where it is absent or empty. Refused (400004) where it is none or out of
/// bounds.
std::expected<std::optional<std::int64_t>, Refusal> query_number(const http::Target& target,
                                                                 std::string_view key, std::int64_t least,
                                                                 std::int64_t most);

}  // namespace hub
