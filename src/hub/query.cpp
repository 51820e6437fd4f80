// SPDX-License-Identifier: Apache-2.0
#include "hub/query.hpp"

#include <string>

namespace hub {

std::expected<std::int64_t, Refusal> read_number(std::string_view text, std::string_view name,
                                                 std::int64_t least, std::int64_t most) {
    const auto number = to_number<std::int64_t>(text);
    if (!number || *number < least || *number > most) {
        return std::unexpected(Refusal{azure::ErrorCode::argument_invalid,
                                       std::string(name) + " is not a number from " + std::to_string(least) +
                                           " to " + std::to_string(most)});
    }
    return *number;
}

std::expected<std::optional<std::int64_t>, Refusal> query_number(const http::Target& target,
                                                                 std::string_view key, std::int64_t least,
                                                                 std::int64_t most) {
    const auto text = target.value(key);
    if (!text || text->empty()) return std::nullopt;
    auto number = read_number(*text, key, least, most);
    if (!number) return std::unexpected(std::move(number).error());
    return *number;
}

}  // namespace hub
