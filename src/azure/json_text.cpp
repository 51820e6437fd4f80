// SPDX-License-Identifier: Apache-2.0
#include "azure/json_text.hpp"

#include <charconv>
#include <string_view>
#include <utility>

namespace azure {
namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value);

void append(std::string& out, double number) {
    char text[32];
    const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
    const std::string_view digits(text, static_cast<std::size_t>(end - text));
    out += digits;
    if (digits.find_first_of(".e") == digits.npos) out += ".0";
}

void append(std::string& out, const json::object& object) {
    char before = '{';
    for (const auto& [key, value] : object) {
        out += std::exchange(before, ',');
        out += json::serialize(json::string(key));
        out += ':';
        append(out, value);
    }
    out += object.empty() ? "{}" : "}";
}

void append(std::string& out, const json::array& array) {
    char before = '[';
    for (const auto& value : array) {
        out += std::exchange(before, ',');
        append(out, value);
    }
    out += array.empty() ? "[]" : "]";
}

void append(std::string& out, const json::value& value) {
    switch (value.kind()) {
        case json::kind::object:
            return append(out, value.get_object());
        case json::kind::array:
            return append(out, value.get_array());
        case json::kind::double_:
            return append(out, value.get_double());
        default:
            out += json::serialize(value);
    }
}

}  // namespace

std::string json_text(const json::value& value) {
    std::string out;
    append(out, value);
    return out;
}

std::string json_text(const json::object& object) {
    std::string out;
    append(out, object);
    return out;
}

}  // namespace azure
