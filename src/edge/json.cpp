// SPDX-License-Identifier: Apache-2.0
#include "edge/json.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "base/result.hpp"

namespace edge {
namespace {

std::unexpected<base::Error> missing(std::string_view name) {
    return base::fail(base::Code::malformed, "request body", fmt::format("has no member \"{}\"", name));
}

std::unexpected<base::Error> wrong(std::string_view name, std::string_view expected) {
    return base::fail(base::Code::malformed, "request body",
                      fmt::format("member \"{}\" must be {}", name, expected));
}

const json::value* find(const json::value& from, std::string_view name) {
    const auto* object = from.if_object();
    const auto* value = object ? object->if_contains(name) : nullptr;
    return value && !value->is_null() ? value : nullptr;
}

}  // namespace

base::Result<json::value> parse_json(std::string_view text, std::string thing) {
    boost::system::error_code why;
    auto value = json::parse({text.data(), text.size()}, why);
    if (why) return base::fail(base::Code::malformed, std::move(thing), "is not JSON: " + why.message());
    return value;
}

base::Result<std::optional<std::string>> optional_text_member(const json::value& from,
                                                              std::string_view name) {
    const auto* value = find(from, name);
    if (!value) return std::nullopt;
    if (!value->is_string()) return wrong(name, "a string");
    return std::string(value->get_string());
}

base::Result<std::string> text_member(const json::value& from, std::string_view name) {
    SP_TRY(return, auto found, optional_text_member(from, name));
    if (!found) return missing(name);
    return *std::move(found);
}

base::Result<std::optional<base::Bytes>> optional_base64_member(const json::value& from,
                                                                std::string_view name) {
    SP_TRY(return, const auto found, optional_text_member(from, name));
    if (!found) return std::nullopt;
    auto bytes = base::from_base64(*found);
    if (!bytes) return wrong(name, "base64");
    return bytes;
}

base::Result<base::Bytes> base64_member(const json::value& from, std::string_view name) {
    SP_TRY(return, auto found, optional_base64_member(from, name));
    if (!found) return missing(name);
    return *std::move(found);
}

base::Result<json::value> object_member(const json::value& from, std::string_view name) {
    const auto* value = find(from, name);
    if (!value) return missing(name);
    if (!value->is_object()) return wrong(name, "an object");
    return *value;
}

}  // namespace edge
