// SPDX-License-Identifier: Apache-2.0
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "azure/json_text.hpp"

namespace azure {
namespace {

namespace json = boost::json;

/// Builds values as json::parse does, but every number to the last bit: that of Boost 1.81 is off by one
/// where a number has 17 digits, and a twin is read and written again with each report.
struct ExactHandler {
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    json::value_stack stack;

    bool on_document_begin(json::error_code&) {
        stack.reset();
        return true;
    }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t members, json::error_code&) {
        stack.push_object(members);
        return true;
    }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t elements, json::error_code&) {
        stack.push_array(elements);
        return true;
    }
    bool on_key_part(json::string_view text, std::size_t, json::error_code&) {
        stack.push_chars(text);
        return true;
    }
    bool on_key(json::string_view text, std::size_t, json::error_code&) {
        stack.push_key(text);
        return true;
    }
    bool on_string_part(json::string_view text, std::size_t, json::error_code&) {
        stack.push_chars(text);
        return true;
    }
    bool on_string(json::string_view text, std::size_t, json::error_code&) {
        stack.push_string(text);
        return true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
        stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
        stack.push_uint64(number);
        return true;
    }
    /// near: what Boost makes of it. The document is in one piece, and so is the number.
    bool on_double(double near, json::string_view text, json::error_code& error) {
        double exact = near;
        const auto read = std::from_chars(text.begin(), text.end(), exact).ec;
        if (read == std::errc::result_out_of_range) exact = std::abs(near) < 1 ? 0.0 : HUGE_VAL;
        if (read == std::errc::invalid_argument || !std::isfinite(exact)) {
            error = json::error::exponent_overflow;
            return false;
        }
        stack.push_double(exact);
        return true;
    }
    bool on_bool(bool value, json::error_code&) {
        stack.push_bool(value);
        return true;
    }
    bool on_null(json::error_code&) {
        stack.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

}  // namespace

base::Result<json::value> parse_json(std::string_view text, std::size_t deepest) {
    json::parse_options options;
    options.max_depth = deepest;
    json::basic_parser<ExactHandler> parser(options);
    json::error_code error;
    const auto read = parser.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size()) error = json::error::extra_data;
    if (!error) return parser.handler().stack.release();
    return base::fail(base::Code::malformed, "JSON document",
                      "cannot be read at byte " + std::to_string(read) + ": " + error.message());
}

bool is_json(std::string_view text, std::size_t deepest) {
    json::parse_options options;
    options.max_depth = deepest;
    json::error_code failed;
    json::stream_parser parser(json::storage_ptr(), options);
    parser.write(text.data(), text.size(), failed);
    if (!failed) parser.finish(failed);
    return !failed;
}

}  // namespace azure
