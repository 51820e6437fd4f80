// SPDX-License-Identifier: Apache-2.0
#include "azure/json_reader.hpp"

#include "azure/json_text.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

namespace json = boost::json;

constexpr std::size_t deepest_document = 32;

}  // namespace

base::Result<json::value> JsonObject::parse(std::string_view document) {
    return parse_json(document, deepest_document);
}

base::Result<JsonObject> JsonObject::root(const json::value& document) {
    if (!document.is_object()) return base::fail(base::Code::malformed, "JSON document", "is not an object");
    return JsonObject(document.get_object(), {});
}

std::string JsonObject::path(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

const json::value* JsonObject::find(std::string_view name) const {
    const auto* found = object_->if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
}

base::Result<std::optional<std::string>> JsonObject::text(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string()) return fail(name, "is not a string");
    return std::string(found->get_string());
}

base::Result<std::string> JsonObject::required_text(std::string_view name) const {
    SP_TRY(return, auto found, text(name));
    if (!found || found->empty()) return fail(name, "is missing");
    return *std::move(found);
}

base::Result<std::optional<bool>> JsonObject::boolean(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_bool()) return fail(name, "is neither true nor false");
    return found->get_bool();
}

base::Result<std::optional<std::int64_t>> JsonObject::integer(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_int64()) return fail(name, "is not an integer");
    return found->get_int64();
}

base::Result<std::optional<JsonObject>> JsonObject::object(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_object()) return fail(name, "is not an object");
    return JsonObject(found->get_object(), path(name));
}

base::Result<const json::array*> JsonObject::array(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return nullptr;
    if (!found->is_array()) return fail(name, "is not an array");
    return &found->get_array();
}

}  // namespace azure
