// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "azure/document_text.hpp"
#include "azure/json_text.hpp"
#include "azure/twin.hpp"
#include "base/encoding.hpp"

namespace azure {
namespace {

namespace json = boost::json;

json::object without_metadata(const TwinProperties& properties) {
    auto shown = properties.values;
    shown["$version"] = properties.version;
    return shown;
}

/// Of the metadata what belongs to members of the patch.
json::object touched(const json::object& metadata, const json::object& patch) {
    json::object out;
    for (const auto& [key, value] : metadata) {
        if (key.starts_with('$')) {
            out[key] = value;
            continue;
        }
        const auto* written = patch.if_contains(key);
        if (written == nullptr) continue;
        if (written->is_object() && value.is_object())
            out[key] = touched(value.get_object(), written->get_object());
        else
            out[key] = value;
    }
    return out;
}

/// What the twin of a device and that of a module have in common behind the ids.
void append(json::object& to, const Twin& twin, const trust::Record& record, std::string_view identity_etag,
            base::Instant status_updated, bool connected, base::Instant last_activity, int messages) {
    const auto& authentication = record.authentication;
    to["etag"] = twin.etag();
    to["deviceEtag"] = json::string_view(identity_etag);
    to["status"] = status_text(record.status);
    to["statusUpdateTime"] = time_text(status_updated);
    to["connectionState"] = connection_state(connected);
    to["lastActivityTime"] = time_text(last_activity);
    to["cloudToDeviceMessageCount"] = messages;
    to["authenticationType"] = json::string_view(trust::to_string(authentication.type));
    to["x509Thumbprint"] = {{"primaryThumbprint", thumbprint_text(authentication.primary_thumbprint)},
                            {"secondaryThumbprint", thumbprint_text(authentication.secondary_thumbprint)}};
    to["modelId"] = twin.model_id;
    to["version"] = twin.version;
    to["tags"] = twin.tags;
    to["properties"] = {{"desired", to_value(twin.desired)}, {"reported", to_value(twin.reported)}};
}

}  // namespace

std::string Twin::etag() const {
    std::array<std::byte, 8> octets;
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = static_cast<std::byte>(counter >> (8 * (octets.size() - 1 - i)));
    return base::to_base64(octets);
}

json::object to_value(const Twin& twin, const Device& device) {
    const auto& record = device.record;
    json::object out{{"deviceId", record.identity.device}};
    append(out, twin, record, device.etag, device.status_updated, device.connected, device.last_activity,
           device.cloud_to_device_messages);
    out["capabilities"] = {{"iotEdge", record.edge_enabled}};
    if (!record.device_scope.empty()) out["deviceScope"] = record.device_scope;
    if (!record.parent_scopes.empty()) {
        auto& scopes = out["parentScopes"].emplace_array();
        for (const auto& scope : record.parent_scopes) scopes.emplace_back(scope);
    }
    return out;
}

json::object to_value(const Twin& twin, const Module& module) {
    const auto& record = module.record;
    json::object out{{"deviceId", record.identity.device}, {"moduleId", record.identity.module}};
    append(out, twin, record, module.etag, {}, module.connected, module.last_activity,
           module.cloud_to_device_messages);
    return out;
}

std::string to_json(const Twin& twin, const Device& device) {
    return json_text(to_value(twin, device));
}
std::string to_json(const Twin& twin, const Module& module) {
    return json_text(to_value(twin, module));
}

json::object to_value(const TwinProperties& properties) {
    auto shown = properties.values;
    shown["$metadata"] = properties.metadata;
    shown["$version"] = properties.version;
    return shown;
}

json::object patched_value(const json::object& patch, const TwinProperties& after) {
    auto shown = patch;
    shown["$metadata"] = touched(after.metadata, patch);
    shown["$version"] = after.version;
    return shown;
}

std::string device_twin_json(const Twin& twin) {
    return json_text(json::object{{"desired", without_metadata(twin.desired)},
                                  {"reported", without_metadata(twin.reported)}});
}

std::string desired_notification(const json::object& written, std::int64_t version) {
    auto body = written;
    body["$version"] = version;
    return json_text(body);
}

}  // namespace azure
