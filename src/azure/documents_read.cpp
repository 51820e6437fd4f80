// SPDX-License-Identifier: Apache-2.0
#include "azure/authentication_json.hpp"
#include "azure/documents.hpp"
#include "azure/json_reader.hpp"
#include "azure/wishes_json.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_reason = 128;  // UTF-8 characters (hub.md 5.3)

std::size_t characters(std::string_view utf8) {
    std::size_t count = 0;
    for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

base::Result<std::string> read_id(const JsonObject& from, std::string_view name, std::string_view kind) {
    SP_TRY(return, const auto id, from.text(name));
    if (!id || id->empty()) return std::string();
    if (auto good = trust::check_id(*id, kind); !good)
        return base::fail(base::Code::invalid_argument, from.path(name), good.error().reason,
                          good.error().fix);
    return *id;
}

/// The C# SDK keeps the ETag header with its quotes and sends it back so.
base::Result<std::string> read_etag(const JsonObject& from) {
    SP_TRY(return, const auto etag, from.text("etag"));
    std::string_view bare = etag ? std::string_view(*etag) : std::string_view{};
    if (bare.size() >= 2 && bare.starts_with('"') && bare.ends_with('"'))
        bare = bare.substr(1, bare.size() - 2);
    return std::string(bare);
}

base::Result<std::optional<trust::Enablement>> read_status(const JsonObject& from) {
    SP_TRY(return, const auto status, from.text("status"));
    if (!status) return std::nullopt;
    if (base::equal_ignoring_case(*status, "enabled")) return trust::Enablement::enabled;
    if (base::equal_ignoring_case(*status, "disabled")) return trust::Enablement::disabled;
    return base::fail(base::Code::invalid_argument, from.path("status"), "is \"" + *status + "\"",
                      "use enabled or disabled");
}

base::Result<std::optional<bool>> read_edge_enabled(const JsonObject& from) {
    SP_TRY(return, const auto capabilities, from.object("capabilities"));
    if (!capabilities) return std::nullopt;
    return capabilities->boolean("iotEdge");
}

base::Result<std::optional<std::vector<std::string>>> read_parent_scopes(const JsonObject& from) {
    SP_TRY(return, const auto* list, from.array("parentScopes"));
    if (list == nullptr) return std::nullopt;
    std::vector<std::string> scopes;
    for (const auto& scope : *list) {
        if (!scope.is_string())
            return from.fail("parentScopes[" + std::to_string(scopes.size()) + "]", "is not a string");
        scopes.emplace_back(scope.get_string());
    }
    return scopes;
}

base::Result<base::Instant> read_time(const JsonObject& from, std::string_view name) {
    SP_TRY(return, const auto text, from.text(name));
    // Older api versions leave out the zone of the moment that stands for "never".
    if (!text || text->starts_with("0001-01-01T00:00:00")) return base::Instant{};
    auto when = base::parse_rfc3339(*text);
    if (!when) return from.fail(name, "is not a time of RFC 3339");
    return *when;
}

base::Result<bool> read_connected(const JsonObject& from) {
    SP_TRY(return, const auto state, from.text("connectionState"));
    return state && base::equal_ignoring_case(*state, "Connected");
}

base::Result<int> read_count(const JsonObject& from) {
    SP_TRY(return, const auto count, from.integer("cloudToDeviceMessageCount"));
    return static_cast<int>(count.value_or(0));
}

/// What a device and a module have in common, except who they are.
base::Result<trust::Record> read_record(const JsonObject& from) {
    trust::Record record;
    SP_TRY(return, record.generation, from.required_text("generationId"));
    SP_TRY(return, const auto authentication, read_authentication(from, Strictness::stored));
    if (!authentication) return from.fail("authentication", "is missing");
    record.authentication = *authentication;
    return record;
}

base::Result<Device> device_of(const JsonObject& from) {
    Device device;
    SP_TRY(return, device.record, read_record(from));
    auto& record = device.record;
    SP_TRY(return, record.identity.device, from.required_text("deviceId"));
    SP_TRY(return, const auto status, read_status(from));
    record.status = status.value_or(trust::Enablement::enabled);
    record.device_status = record.status;
    SP_TRY(return, const auto edge, read_edge_enabled(from));
    record.edge_enabled = edge.value_or(false);
    SP_TRY(return, const auto scope, from.text("deviceScope"));
    record.device_scope = scope.value_or("");
    SP_TRY(return, const auto parents, read_parent_scopes(from));
    if (parents) {
        record.parent_scopes = *parents;
    } else if (!record.edge_enabled && !record.device_scope.empty()) {
        record.parent_scopes = {record.device_scope};  // gateway.md 3.1
    }
    SP_TRY(return, device.etag, read_etag(from));
    SP_TRY(return, const auto reason, from.text("statusReason"));
    device.status_reason = reason.value_or("");
    SP_TRY(return, device.connected, read_connected(from));
    SP_TRY(return, device.connection_state_updated, read_time(from, "connectionStateUpdatedTime"));
    SP_TRY(return, device.status_updated, read_time(from, "statusUpdatedTime"));
    SP_TRY(return, device.last_activity, read_time(from, "lastActivityTime"));
    SP_TRY(return, device.cloud_to_device_messages, read_count(from));
    return device;
}

base::Result<Module> module_of(const JsonObject& from) {
    Module module;
    SP_TRY(return, module.record, read_record(from));
    SP_TRY(return, module.record.identity.device, from.required_text("deviceId"));
    SP_TRY(return, module.record.identity.module, from.required_text("moduleId"));
    SP_TRY(return, const auto manager, from.text("managedBy"));
    module.managed_by = manager.value_or("");
    SP_TRY(return, module.etag, read_etag(from));
    SP_TRY(return, module.connected, read_connected(from));
    SP_TRY(return, module.connection_state_updated, read_time(from, "connectionStateUpdatedTime"));
    SP_TRY(return, module.last_activity, read_time(from, "lastActivityTime"));
    SP_TRY(return, module.cloud_to_device_messages, read_count(from));
    return module;
}

template <class T>
using ReadOne = base::Result<T> (*)(const JsonObject&);

template <class T>
base::Result<T> read_one(std::string_view document, ReadOne<T> read) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    return read(root);
}

/// Reads the elements of a list; where one cannot be read, `skipped` gets its error, or without it all fails.
template <class T>
base::Result<std::vector<T>> read_elements(const json::array& list, const std::string& path, ReadOne<T> read,
                                           std::vector<std::string>* skipped) {
    std::vector<T> elements;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto place = path + "[" + std::to_string(i) + "]";
        auto element = [&]() -> base::Result<T> {
            if (!list[i].is_object())
                return base::fail(base::Code::invalid_argument, place, "is not an object");
            return read(JsonObject(list[i].get_object(), place));
        }();
        if (element) {
            elements.push_back(*std::move(element));
        } else if (skipped != nullptr) {
            skipped->push_back(element.error().text());
        } else {
            return std::unexpected(std::move(element).error());
        }
    }
    return elements;
}

template <class T>
base::Result<std::vector<T>> read_list(std::string_view document, ReadOne<T> read) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    if (!value.is_array()) return base::fail(base::Code::malformed, "JSON document", "is not an array");
    return read_elements(value.get_array(), {}, read, nullptr);
}

}  // namespace

base::Result<DeviceWish> device_wish_of(const JsonObject& root) {
    DeviceWish wish;
    SP_TRY(return, wish.status, read_status(root));
    SP_TRY(return, wish.status_reason, root.text("statusReason"));
    if (wish.status_reason && characters(*wish.status_reason) > longest_reason)
        return root.fail("statusReason", "has more than 128 characters");
    SP_TRY(return, wish.authentication, read_authentication(root, Strictness::wish));
    SP_TRY(return, wish.edge_enabled, read_edge_enabled(root));
    SP_TRY(return, wish.device_scope, root.text("deviceScope"));
    SP_TRY(return, wish.parent_scopes, read_parent_scopes(root));
    SP_TRY(return, wish.etag, read_etag(root));
    return wish;
}

base::Result<ModuleWish> module_wish_of(const JsonObject& root) {
    ModuleWish wish;
    SP_TRY(return, wish.managed_by, root.text("managedBy"));
    SP_TRY(return, wish.authentication, read_authentication(root, Strictness::wish));
    SP_TRY(return, wish.etag, read_etag(root));
    return wish;
}

base::Result<DeviceWish> parse_device(std::string_view document) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    SP_TRY(return, auto id, read_id(root, "deviceId", "device id"));
    SP_TRY(return, auto wish, device_wish_of(root));
    wish.device_id = std::move(id);
    return wish;
}

base::Result<ModuleWish> parse_module(std::string_view document) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    SP_TRY(return, auto device, read_id(root, "deviceId", "device id"));
    SP_TRY(return, auto module, read_id(root, "moduleId", "module id"));
    SP_TRY(return, auto wish, module_wish_of(root));
    wish.device_id = std::move(device);
    wish.module_id = std::move(module);
    return wish;
}

base::Result<Device> read_device(std::string_view document) {
    return read_one<Device>(document, device_of);
}
base::Result<Module> read_module(std::string_view document) {
    return read_one<Module>(document, module_of);
}
base::Result<std::vector<Device>> read_devices(std::string_view document) {
    return read_list<Device>(document, device_of);
}
base::Result<std::vector<Module>> read_modules(std::string_view document) {
    return read_list<Module>(document, module_of);
}

base::Result<ScopeResult> read_scope_result(std::string_view document, std::vector<std::string>* skipped) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    std::vector<std::string> unread;
    ScopeResult result;
    SP_TRY(return, const auto* devices, root.array("devices"));
    if (devices != nullptr) {
        SP_TRY(return, result.devices, read_elements<Device>(*devices, "devices", device_of, &unread));
    }
    SP_TRY(return, const auto* modules, root.array("modules"));
    if (modules != nullptr) {
        SP_TRY(return, result.modules, read_elements<Module>(*modules, "modules", module_of, &unread));
    }
    SP_TRY(return, const auto link, root.text("continuationLink"));
    result.continuation = link.value_or("");
    if (skipped != nullptr) *skipped = std::move(unread);
    return result;
}

}  // namespace azure
