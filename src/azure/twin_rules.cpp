// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "azure/twin.hpp"

namespace azure {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_property_name = 1024;
constexpr std::size_t longest_string = 4 * 1024;
constexpr int deepest_value = 10;  // objects and arrays below the section itself
constexpr std::int64_t largest_integer = 4'503'599'627'370'496;

/// The octets of the control character (C0, DEL or C1) that `utf8` begins with; 0 where it does not.
std::size_t control_length(std::string_view utf8) {
    const auto first = static_cast<unsigned char>(utf8.front());
    if (first < 0x20 || first == 0x7f) return 1;
    if (first != 0xc2 || utf8.size() < 2) return 0;
    return static_cast<unsigned char>(utf8[1]) < 0xa0 ? 2 : 0;
}

std::size_t without_controls(std::string_view utf8) {
    std::size_t size = 0;
    while (!utf8.empty()) {
        const auto control = control_length(utf8);
        size += control == 0;
        utf8.remove_prefix(std::max<std::size_t>(control, 1));
    }
    return size;
}

std::unexpected<base::Error> bad_value(const std::string& path, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, path, std::move(reason), std::move(fix));
}

base::Status check_key(std::string_view key, const std::string& parent) {
    // A key that is too long does not belong into the error either.
    if (key.size() > longest_property_name)
        return bad_value(parent, "has a key of " + std::to_string(key.size()) + " octets",
                         "use at most 1024");
    if (key.find_first_of(".$ ") == key.npos && without_controls(key) == key.size()) return {};
    return bad_value(parent, "has the key \"" + std::string(key) + "\"",
                     "leave out control characters, dots, dollars and blanks");
}

base::Status check_value(const json::value& value, const std::string& path, int depth);

base::Status check_object(const json::object& object, const std::string& path, int depth) {
    for (const auto& [key, value] : object) {
        if (auto fine = check_key(key, path); !fine) return fine;
        if (auto fine = check_value(value, path + "." + std::string(key), depth); !fine) return fine;
    }
    return {};
}

base::Status check_array(const json::array& array, const std::string& path, int depth) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        const auto place = path + "[" + std::to_string(i) + "]";
        if (array[i].is_null()) return bad_value(place, "is null inside an array", "leave it out");
        if (auto fine = check_value(array[i], place, depth); !fine) return fine;
    }
    return {};
}

base::Status check_value(const json::value& value, const std::string& path, int depth) {
    if (value.is_object() || value.is_array()) {
        if (depth == deepest_value) return bad_value(path, "is nested deeper than 10 levels");
        return value.is_object() ? check_object(value.get_object(), path, depth + 1)
                                 : check_array(value.get_array(), path, depth + 1);
    }
    if (value.is_string() && value.get_string().size() > longest_string)
        return bad_value(path, "is a string of " + std::to_string(value.get_string().size()) + " octets",
                         "use at most 4096");
    const bool outside =
        value.is_uint64() ||
        (value.is_int64() && (value.get_int64() > largest_integer || value.get_int64() < -largest_integer));
    if (outside) return bad_value(path, "is an integer beyond +-4503599627370496", "give it as a string");
    return {};
}

std::size_t size_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::object:
            return twin_size(value.get_object());
        case json::kind::array: {
            std::size_t sum = 0;
            for (const auto& element : value.get_array()) sum += size_of(element);
            return sum;
        }
        case json::kind::string:
            return without_controls(value.get_string());
        case json::kind::bool_:
            return 4;
        case json::kind::null:
            return 0;
        default:
            return 8;
    }
}

}  // namespace

base::Status check_twin_values(const json::object& values, const std::string& path) {
    return check_object(values, path, 0);
}

std::size_t twin_size(const json::object& values) {
    std::size_t sum = 0;
    for (const auto& [key, value] : values) sum += key.size() + size_of(value);
    return sum;
}

}  // namespace azure
