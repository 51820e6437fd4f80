// SPDX-License-Identifier: Apache-2.0
#include "edge/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace edge {
namespace {

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (u < 0x20 || u == 0x7f)
            out += fmt::format("\\u{:04x}", u);
        else
            out += c;
    }
    return out + '"';
}

std::string key_text(std::string_view key) {
    const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               c == '-';
    });
    return bare ? std::string(key) : toml_string(key);
}

}  // namespace

TomlText& TomlText::table(const std::vector<std::string>& path) {
    std::string name;
    for (const auto& part : path) name += (name.empty() ? "" : ".") + key_text(part);
    text_ += fmt::format("\n[{}]\n", name);
    return *this;
}

TomlText& TomlText::array_table(std::string_view name) {
    text_ += fmt::format("\n[[{}]]\n", key_text(name));
    return *this;
}

TomlText& TomlText::set(std::string_view key, std::string_view value) {
    text_ += fmt::format("{} = {}\n", key_text(key), toml_string(value));
    return *this;
}

TomlText& TomlText::set(std::string_view key, std::int64_t value) {
    text_ += fmt::format("{} = {}\n", key_text(key), value);
    return *this;
}

TomlText& TomlText::set(std::string_view key, bool value) {
    text_ += fmt::format("{} = {}\n", key_text(key), value);
    return *this;
}

TomlText& TomlText::set(std::string_view key, const std::vector<std::string>& values) {
    std::string list;
    for (const auto& value : values) list += (list.empty() ? "" : ", ") + toml_string(value);
    text_ += fmt::format("{} = [{}]\n", key_text(key), list);
    return *this;
}

}  // namespace edge
