// SPDX-License-Identifier: Apache-2.0
#include "hub/twin_event.hpp"

#include <boost/json.hpp>
#include <utility>

#include "azure/twin.hpp"

namespace hub {

namespace {

namespace json = boost::json;

/// The members of `metadata` that are about what `written` has, and those about the whole.
json::object metadata_of(const json::object& metadata, const json::object& written) {
    json::object out;
    for (const auto& [name, value] : metadata) {
        if (name.starts_with('$')) {
            out[name] = value;
            continue;
        }
        const auto* part = written.if_contains(name);
        if (part == nullptr) continue;
        if (value.is_object() && part->is_object())
            out[name] = metadata_of(value.get_object(), part->get_object());
        else
            out[name] = value;
    }
    return out;
}

json::object section(json::object values, json::object metadata, std::int64_t version) {
    values["$metadata"] = std::move(metadata);
    values["$version"] = version;
    return values;
}

json::object section(const azure::TwinProperties& properties) {
    return section(properties.values, properties.metadata, properties.version);
}

json::object written_section(const azure::TwinProperties& after, const json::object& written) {
    return section(written, metadata_of(after.metadata, written), after.version);
}

}  // namespace

std::string whole_twin_body(const trust::Identity& identity, const azure::Twin& twin) {
    json::object body{{"deviceId", identity.device}};
    if (identity.is_module()) body["moduleId"] = identity.module;
    body["etag"] = twin.etag();
    body["version"] = twin.version;
    if (!twin.tags.empty()) body["tags"] = twin.tags;
    body["properties"] =
        json::object{{"desired", section(twin.desired)}, {"reported", section(twin.reported)}};
    return json::serialize(body);
}

std::string twin_patch_body(const registry::TwinChange& change) {
    json::object body{{"version", change.after.version}};
    if (change.tags) body["tags"] = *change.tags;
    json::object properties;
    if (change.desired) properties["desired"] = written_section(change.after.desired, *change.desired);
    if (change.reported) properties["reported"] = written_section(change.after.reported, *change.reported);
    if (!properties.empty()) body["properties"] = std::move(properties);
    return json::serialize(body);
}

}  // namespace hub
