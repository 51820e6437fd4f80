// SPDX-License-Identifier: Apache-2.0
#include "app/environment.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace app {

std::string shell_quoted(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::ranges::all_of(text, plain)) return std::string(text);
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += R"('\'')";
        else
            out += c;
    }
    return out + "'";
}

std::string environment_lines(const Environment& environment, std::string_view prefix) {
    std::string out;
    for (const auto& [name, value] : environment)
        out += std::string(prefix) + name + "=" + shell_quoted(value) + "\n";
    return out;
}

std::string environment_json(const Environment& environment) {
    boost::json::object object;
    for (const auto& [name, value] : environment) object[name] = value;
    return boost::json::serialize(object);
}

}  // namespace app
