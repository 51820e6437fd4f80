// SPDX-License-Identifier: Apache-2.0
#include "registry/refusals.hpp"

namespace registry {
namespace refusals {
namespace {

constexpr std::string_view device_thing = "device ";
constexpr std::string_view module_thing = "module ";
constexpr std::string_view certificate_things = "CA certificate ";
constexpr std::string_view configuration_things = "configuration ";
constexpr std::string_view configurations_thing = "configurations";
constexpr std::string_view content_thing = "content of configuration ";
constexpr std::string_view scope_thing = "device scope ";
constexpr std::string_view modules_thing = "modules of ";
constexpr std::string_view system_thing = "system module ";

}  // namespace

std::string thing(const trust::Identity& id) {
    return std::string(id.is_module() ? module_thing : device_thing) + id.text();
}

std::unexpected<base::Error> not_found(std::string thing) {
    return base::fail(base::Code::not_found, std::move(thing), "is not registered");
}

std::unexpected<base::Error> already_exists(std::string thing) {
    return base::fail(base::Code::already_exists, std::move(thing), "exists already",
                      "update it (If-Match), or delete it first");
}

std::unexpected<base::Error> device_scope(const std::string& scope, std::string reason, std::string fix) {
    return base::fail(base::Code::invalid_argument, std::string(scope_thing) + scope, std::move(reason),
                      std::move(fix));
}

std::unexpected<base::Error> too_many_modules(const std::string& device) {
    return base::fail(base::Code::too_large, std::string(modules_thing) + device, "are 50 already, the most",
                      "delete one first");
}

std::unexpected<base::Error> system_module(const trust::Identity& id) {
    return base::fail(base::Code::permission_denied, std::string(system_thing) + id.text(),
                      "belongs to the IoT Edge device", "delete the device");
}

std::unexpected<base::Error> too_many_configurations() {
    return base::fail(base::Code::too_large, std::string(configurations_thing), "are 100 already, the most",
                      "delete one first");
}

std::unexpected<base::Error> immutable_content(const std::string& id) {
    return base::fail(base::Code::invalid_argument, std::string(content_thing) + id, "cannot be changed",
                      "create another configuration with it");
}

base::Status check_match(const IfMatch& match, const std::string& etag, std::string thing) {
    switch (match.kind) {
        case IfMatch::Kind::any:
            return {};
        case IfMatch::Kind::absent:
            return base::fail(base::Code::precondition_failed, std::move(thing),
                              "is there, and no If-Match was given",
                              "send If-Match with its etag, or * for any");
        case IfMatch::Kind::exact:
            break;
    }
    if (match.etag == etag) return {};
    return base::fail(base::Code::precondition_failed, std::move(thing), "has another etag by now",
                      "read it again, then repeat the change");
}

}  // namespace refusals

azure::ErrorCode azure_code(const base::Error& error) {
    using base::Code;
    const auto about = [&](std::string_view start) { return error.thing.starts_with(start); };
    if (error.code == Code::not_found && about(refusals::device_thing))
        return azure::ErrorCode::device_not_found;
    if (error.code == Code::not_found && about(refusals::module_thing))
        return azure::ErrorCode::module_not_found;
    if (error.code == Code::not_found && about(refusals::certificate_things))
        return azure::ErrorCode::certificate_not_found;
    if (error.code == Code::not_found && about(refusals::configuration_things))
        return azure::ErrorCode::configuration_not_found;
    if (error.code == Code::already_exists && about(refusals::configuration_things))
        return azure::ErrorCode::configuration_already_exists;
    if (error.code == Code::too_large && about(refusals::configurations_thing))
        return azure::ErrorCode::quota_exceeded;
    if (error.code == Code::invalid_argument && about(refusals::content_thing))
        return azure::ErrorCode::immutable_configuration_content;
    if (error.code == Code::already_exists && about(refusals::module_thing))
        return azure::ErrorCode::module_already_exists;
    if (error.code == Code::already_exists) return azure::ErrorCode::device_already_exists;
    if (error.code == Code::invalid_argument && about(refusals::scope_thing))
        return azure::ErrorCode::invalid_device_scope;
    if (error.code == Code::invalid_argument) return azure::ErrorCode::argument_invalid;
    if (error.code == Code::too_large && about(refusals::modules_thing))
        return azure::ErrorCode::too_many_modules;
    if (error.code == Code::permission_denied && about(refusals::system_thing))
        return azure::ErrorCode::system_module_modify;
    return azure::from(error.code);
}

IfMatch IfMatch::parse(std::optional<std::string_view> header) {
    if (!header) return {};
    auto text = base::trim(*header);
    if (text.starts_with("W/")) text.remove_prefix(2);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    if (text.empty()) return {};
    if (text == "*") return {Kind::any, {}};
    return {Kind::exact, std::string(text)};
}

}  // namespace registry
