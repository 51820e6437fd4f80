// SPDX-License-Identifier: Apache-2.0
#include "hub/twin_event.hpp"

#include <boost/json.hpp>
#include <utility>

#include "azure/twin.hpp"

namespace hub {

namespace json = boost::json;

std::string whole_twin_body(const trust::Identity& identity, const azure::Twin& twin) {
    json::object body{{"deviceId", identity.device}};
    if (identity.is_module()) body["moduleId"] = identity.module;
    body["etag"] = twin.etag();
    body["version"] = twin.version;
    if (!twin.tags.empty()) body["tags"] = twin.tags;
    body["properties"] =
        json::object{{"desired", to_value(twin.desired)}, {"reported", to_value(twin.reported)}};
    return json::serialize(body);
}

std::string twin_patch_body(const registry::TwinChange& change) {
    json::object body{{"version", change.after.version}};
    if (change.tags) body["tags"] = *change.tags;
    json::object properties;
    if (change.desired) properties["desired"] = patched_value(*change.desired, change.after.desired);
    if (change.reported) properties["reported"] = patched_value(*change.reported, change.after.reported);
    if (!properties.empty()) body["properties"] = std::move(properties);
    return json::serialize(body);
}

}  // namespace hub
