// SPDX-License-Identifier: Apache-2.0
#include "hub/filters.hpp"

#include <string>

namespace hub {

namespace {

constexpr std::string_view method_requests = "$iothub/methods/POST/";

/// `$iothub/methods/POST/#`, or one method: `$iothub/methods/POST/{name}/#`.
bool is_method_filter(std::string_view filter) {
    if (!filter.starts_with(method_requests) || !filter.ends_with("#")) return false;
    auto name = filter.substr(method_requests.size());
    if (name == "#") return true;
    if (!name.ends_with("/#")) return false;
    name.remove_suffix(2);
    return !name.empty() && name.find_first_of("/+#") == std::string_view::npos;
}

}  // namespace

bool is_allowed_filter(const trust::Identity& identity, std::string_view filter) {
    if (filter == "$iothub/twin/res/#" || filter == "$iothub/twin/PATCH/properties/desired/#") return true;
    if (is_method_filter(filter)) return true;
    const std::string device = "devices/" + identity.device;
    if (!identity.is_module()) return filter == device + "/messages/devicebound/#";
    const std::string module = device + "/modules/" + identity.module;
    return filter == module + "/inputs/#" || filter == module + "/#";
}

}  // namespace hub
