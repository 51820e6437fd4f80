// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <string>

namespace azure {

/// JSON as people and other tools write it: 20.5 and not 2.05E1, 1.0 where a number is no integer. The text
/// parses back to the same value.
std::string json_text(const boost::json::value& value);
std::string json_text(const boost::json::object& object);

}  // namespace azure
