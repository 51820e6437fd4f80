// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <cassert>

#include "azure/document_text.hpp"
#include "azure/documents.hpp"

namespace azure {
namespace {

namespace json = boost::json;

// boost::json::object keeps the order of insertion; `type` must stay last (hub.md 5.3).
json::object to_value(const trust::Authentication& authentication, Dialect dialect) {
    const bool x509 = dialect == Dialect::identityd && authentication.type == trust::AuthType::self_signed;
    return {{"symmetricKey",
             {{"primaryKey", text_or_null(authentication.primary_key)},
              {"secondaryKey", text_or_null(authentication.secondary_key)}}},
            {"x509Thumbprint",
             {{"primaryThumbprint", thumbprint_text(authentication.primary_thumbprint)},
              {"secondaryThumbprint", thumbprint_text(authentication.secondary_thumbprint)}}},
            {"type", x509 ? "x509" : json::string_view(trust::to_string(authentication.type))}};
}

json::object to_value(const Device& device) {
    const auto& record = device.record;
    json::array parents;
    for (const auto& scope : record.parent_scopes) parents.emplace_back(scope);
    return {{"deviceId", record.identity.device},
            {"generationId", record.generation},
            {"etag", device.etag},
            {"connectionState", connection_state(device.connected)},
            {"status", status_text(record.status)},
            {"statusReason", text_or_null(device.status_reason)},
            {"connectionStateUpdatedTime", time_text(device.connection_state_updated)},
            {"statusUpdatedTime", time_text(device.status_updated)},
            {"lastActivityTime", time_text(device.last_activity)},
            {"cloudToDeviceMessageCount", device.cloud_to_device_messages},
            {"authentication", to_value(record.authentication, Dialect::service)},
            {"capabilities", {{"iotEdge", record.edge_enabled}}},
            {"deviceScope", text_or_null(record.device_scope)},
            {"parentScopes", std::move(parents)}};
}

json::object to_value(const Module& module, Dialect dialect) {
    const auto& record = module.record;
    return {{"moduleId", record.identity.module},
            {"managedBy", text_or_null(module.managed_by)},
            {"deviceId", record.identity.device},
            {"generationId", record.generation},
            {"etag", module.etag},
            {"connectionState", connection_state(module.connected)},
            {"connectionStateUpdatedTime", time_text(module.connection_state_updated)},
            {"lastActivityTime", time_text(module.last_activity)},
            {"cloudToDeviceMessageCount", module.cloud_to_device_messages},
            {"authentication", to_value(record.authentication, dialect)}};
}

/// An unmodified edgeHub drops a whole refresh for one record with an empty slot (hub.md 2.4,
/// gateway.md 3.5).
trust::Record with_both_slots(trust::Record record) {
    auto& known = record.authentication;
    if (!known.primary_thumbprint) known.primary_thumbprint = known.secondary_thumbprint;
    if (!known.secondary_thumbprint) known.secondary_thumbprint = known.primary_thumbprint;
    if (known.primary_key.empty()) known.primary_key = known.secondary_key;
    if (known.secondary_key.empty()) known.secondary_key = known.primary_key;
    return record;
}

}  // namespace

std::string to_json(const Device& device) {
    return json::serialize(to_value(device));
}

std::string to_json(const Module& module, Dialect dialect) {
    return json::serialize(to_value(module, dialect));
}

std::string to_json(const std::vector<Device>& devices) {
    json::array list;
    for (const auto& device : devices) list.push_back(to_value(device));
    return json::serialize(list);
}

std::string to_json(const std::vector<Module>& modules, Dialect dialect) {
    json::array list;
    for (const auto& module : modules) list.push_back(to_value(module, dialect));
    return json::serialize(list);
}

std::string to_json(const ScopeResult& result) {
    json::array devices, modules;
    for (auto device : result.devices) {
        device.record = with_both_slots(std::move(device.record));
        devices.push_back(to_value(device));
    }
    for (auto module : result.modules) {
        module.record = with_both_slots(std::move(module.record));
        modules.push_back(to_value(module, Dialect::service));
    }
    return json::serialize(json::object{{"devices", std::move(devices)},
                                        {"modules", std::move(modules)},
                                        {"continuationLink", text_or_null(result.continuation)}});
}

std::string make_generation(std::chrono::sys_time<std::chrono::milliseconds> now, unsigned tie_breaker) {
    constexpr std::int64_t ticks_of_epoch = 621'355'968'000'000'000;
    constexpr std::int64_t ticks_a_millisecond = 10'000;
    return std::to_string(ticks_of_epoch + now.time_since_epoch().count() * ticks_a_millisecond +
                          tie_breaker % ticks_a_millisecond);
}

std::string make_scope(std::string_view device, std::string_view generation) {
    return "ms-azure-iot-edge://" + std::string(device) + "-" + std::string(generation);
}

}  // namespace azure
