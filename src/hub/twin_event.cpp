// SPDX-License-Identifier: Apache-2.0
#include "hub/twin_event.hpp"

#include "azure/json_text.hpp"

namespace hub {

namespace json = boost::json;

std::string twin_event_body(const registry::TwinChange& change) {
    const auto& after = change.after;
    json::object body{{"version", after.version}};
    if (change.how == azure::TwinWrite::replace) {
        body["tags"] = after.tags;
        body["properties"] =
            json::object{{"desired", to_value(after.desired)}, {"reported", to_value(after.reported)}};
        return azure::json_text(body);
    }
    if (change.tags) body["tags"] = *change.tags;
    json::object properties;
    if (change.desired) properties["desired"] = patched_value(*change.desired, after.desired);
    if (change.reported) properties["reported"] = patched_value(*change.reported, after.reported);
    if (!properties.empty()) body["properties"] = std::move(properties);
    return azure::json_text(body);
}

}  // namespace hub
