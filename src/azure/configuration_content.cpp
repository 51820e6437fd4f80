// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "azure/configuration.hpp"
#include "azure/json_reader.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "trust/identity.hpp"

/// What applying a content means for desired properties.
namespace azure {
namespace {

namespace json = boost::json;

constexpr std::string_view desired = "properties.desired";
constexpr std::ptrdiff_t deepest = 10;  // as twins are (hub.md 5.5)

std::unexpected<ConfigurationError> refuse(std::string text) {
    return std::unexpected(ConfigurationError{ErrorCode::invalid_configuration_content, std::move(text)});
}

ConfigurationResult<DesiredContent> read_one(std::string module, const json::value& sections,
                                             const std::string& path) {
    DesiredContent out;
    out.module = std::move(module);
    const auto* object = sections.if_object();
    if (object == nullptr) return refuse(path + " is not an object");
    for (const auto& [key, value] : *object) {
        const auto name = std::string_view(key);
        if (name == desired) {
            if (!value.is_object()) return refuse(path + "." + std::string(name) + " is not an object");
            out.whole = value.get_object();
        } else if (name.starts_with(desired) && name.size() > desired.size() + 1 &&
                   name[desired.size()] == '.') {
            if (std::ranges::count(name, '.') > deepest)
                return refuse(path + " has a path of more than 10 levels");
            out.parts.emplace_back(name.substr(desired.size() + 1), value);
        } else {
            return refuse(path + "." + std::string(name) + " is neither properties.desired nor below it");
        }
    }
    return out;
}

/// Sets what stands at the dotted path; null takes it away.
void set_at(json::object& object, std::string_view path, const json::value& value) {
    const auto dot = path.find('.');
    const auto name = path.substr(0, dot);
    if (dot != std::string_view::npos) {
        auto& below = object[name];
        if (!below.is_object()) below = json::object();
        set_at(below.get_object(), path.substr(dot + 1), value);
    } else if (value.is_null()) {
        object.erase(name);
    } else {
        object[name] = value;
    }
}

/// The merge patch (RFC 7396) that makes `after` of `before`.
json::object patch_between(const json::object& before, const json::object& after) {
    json::object patch;
    for (const auto& [key, value] : before)
        if (!after.contains(key)) patch[key] = nullptr;
    for (const auto& [key, value] : after) {
        const auto* old = before.if_contains(key);
        if (old != nullptr && *old == value) continue;
        if (old != nullptr && old->is_object() && value.is_object())
            patch[key] = patch_between(old->get_object(), value.get_object());
        else
            patch[key] = value;
    }
    return patch;
}

}  // namespace

ConfigurationResult<std::vector<DesiredContent>> parse_content(std::string_view document) {
    const auto value = JsonObject::parse(document);
    if (!value)
        return std::unexpected(ConfigurationError{ErrorCode::iot_hub_format_error, value.error().text()});
    if (!value->is_object()) return refuse("the content is not an object");
    std::vector<DesiredContent> out;
    for (const auto& [section, content] : value->get_object()) {
        if (content.is_null()) continue;
        if (section == "deviceContent") {
            auto one = read_one({}, content, "deviceContent");
            if (!one) return std::unexpected(one.error());
            out.push_back(*std::move(one));
        } else if (section == "modulesContent") {
            if (!content.is_object()) return refuse("modulesContent is not an object");
            for (const auto& [module, sections] : content.get_object()) {
                if (auto fine = trust::check_id(module, "module id"); !fine)
                    return refuse(fine.error().text());
                auto one = read_one(module, sections, "modulesContent." + std::string(module));
                if (!one) return std::unexpected(one.error());
                out.push_back(*std::move(one));
            }
        } else {
            return refuse(std::string(section) + " cannot be applied to a device");
        }
    }
    if (out.empty()) return refuse("the content has neither modulesContent nor deviceContent");
    return out;
}

base::Result<DesiredWrite> apply_content(const DesiredContent& content, const json::object& before) {
    auto after = content.whole.value_or(before);
    for (const auto& [path, value] : content.parts) set_at(after, path, value);
    if (auto fine = check_twin_values(after, std::string(desired)); !fine)
        return std::unexpected(fine.error());
    DesiredWrite write;
    write.how = content.whole ? TwinWrite::replace : TwinWrite::patch;
    write.wish.desired = content.whole ? std::move(after) : patch_between(before, after);
    return write;
}

}  // namespace azure
