// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace edge {

namespace json = boost::json;

/// Memory for JSON that may hold secrets: overwritten when it is given back. Lives as long as the process.
json::storage_ptr wiping();

/// Parses a JSON text into wiping memory; `malformed` with the parser's words and the place.
base::Result<json::value> parse_json(std::string_view text, std::string thing);

/// The members of a request or an answer. A missing or wrong one is `malformed` (422, edge-runtime.md 0.2).
base::Result<std::string> text_member(const json::value& from, std::string_view name);
base::Result<std::optional<std::string>> optional_text_member(const json::value& from, std::string_view name);
base::Result<base::Bytes> base64_member(const json::value& from, std::string_view name);
base::Result<std::optional<base::Bytes>> optional_base64_member(const json::value& from,
                                                                std::string_view name);
/// True where it is there and not null.
bool has_member(const json::value& from, std::string_view name);
base::Result<json::value> object_member(const json::value& from, std::string_view name);

}  // namespace edge
