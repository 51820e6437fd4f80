// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

using Bytes = std::vector<std::byte>;

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}
inline Bytes bytes_of(std::string_view text) {
    const auto bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hex.
std::string to_hex(std::span<const std::byte> bytes);
std::string to_hex_upper(std::span<const std::byte> bytes);
/// Either case, even length; nullopt otherwise.
std::optional<Bytes> from_hex(std::string_view text);

/// Standard alphabet with padding (RFC 4648 section 4), on one line.
std::string to_base64(std::span<const std::byte> bytes);
/// Strict: standard alphabet, right padding, no white space. nullopt otherwise.
std::optional<Bytes> from_base64(std::string_view text);

/// Encodes everything but unreserved characters (RFC 3986 section 2.3), hex in upper case.
std::string percent_encode(std::string_view text);
/// Decodes %XX; '+' stays a plus. nullopt where a percent sign is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

/// ASCII only; other bytes are kept.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
/// "a;b;;c" at ';' gives {"a", "b", "", "c"}; an empty text gives {""}.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);
/// The candidate with the smallest edit distance to `word`, for "did you mean"; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace base
