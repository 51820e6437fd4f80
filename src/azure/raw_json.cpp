// SPDX-License-Identifier: Apache-2.0
#include "azure/raw_json.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace azure {

namespace {

/// The length of the string that begins at `text`, both quotes included.
std::size_t string_length(std::string_view text) {
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    return std::min(at + 1, text.size());
}

/// The length of the value that begins at `text`: up to the comma or bracket that ends it.
std::size_t value_length(std::string_view text) {
    int depth = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at += string_length(text.substr(at));
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
        if (c == '}' || c == ']') --depth;
        ++at;
    }
    return at;
}

}  // namespace

std::optional<RawMembers> raw_members(std::string_view text) {
    text = base::trim(text);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
    auto rest = base::trim(text.substr(1, text.size() - 2));
    RawMembers members;
    while (!rest.empty()) {
        if (rest.front() != '"') return std::nullopt;
        const auto name_size = string_length(rest);
        if (name_size < 2) return std::nullopt;
        const auto name = rest.substr(1, name_size - 2);
        rest = base::trim(rest.substr(name_size));
        if (rest.empty() || rest.front() != ':') return std::nullopt;
        rest = base::trim(rest.substr(1));
        const auto size = value_length(rest);
        members.emplace_back(name, base::trim(rest.substr(0, size)));
        rest = base::trim(rest.substr(size));
        if (!rest.empty() && rest.front() == ',') rest = base::trim(rest.substr(1));
    }
    return members;
}

std::string_view raw_member(const RawMembers& members, std::string_view name) {
    for (const auto& [known, value] : members) {
        if (known == name) return value;
    }
    return {};
}

std::string raw_object(const RawMembers& members) {
    std::string out = "{";
    for (const auto& [name, value] : members) {
        if (out.size() > 1) out += ", ";
        out.append("\"").append(name).append("\": ").append(value);
    }
    return out + "}";
}

}  // namespace azure
