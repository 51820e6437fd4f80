// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace azure {

/// JSON as people and other tools write it: 20.5 and not 2.05E1, 1.0 where a number is no integer. The text
/// parses back to the same value.
std::string json_text(const boost::json::value& value);
std::string json_text(const boost::json::object& object);

/// Reads a document of at most `deepest` levels, with numbers exact to the last bit. `malformed` otherwise,
/// also for a number that no double holds.
base::Result<boost::json::value> parse_json(std::string_view text, std::size_t deepest = 64);

/// Whether it is JSON of at most `deepest` levels, whatever its numbers are.
bool is_json(std::string_view text, std::size_t deepest);

}  // namespace azure
