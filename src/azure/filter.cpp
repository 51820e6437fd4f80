// SPDX-License-Identifier: Apache-2.0
#include "azure/filter.hpp"

#include <array>
#include <string>

namespace azure {

namespace {

constexpr std::array shared{std::string_view("$iothub/twin/res/#"),
                            std::string_view("$iothub/twin/PATCH/properties/desired/#"),
                            std::string_view("$iothub/methods/POST/#")};

/// "$iothub/methods/POST/{name}/#" for one method.
bool is_one_method(std::string_view filter) {
    constexpr std::string_view prefix = "$iothub/methods/POST/";
    if (!filter.starts_with(prefix) || !filter.ends_with("/#")) return false;
    filter.remove_prefix(prefix.size());
    filter.remove_suffix(2);
    return !filter.empty() && filter.find_first_of("/+#") == std::string_view::npos;
}

}  // namespace

bool may_subscribe(const trust::Identity& identity, std::string_view filter) {
    for (const auto allowed : shared) {
        if (filter == allowed) return true;
    }
    if (is_one_method(filter)) return true;
    // Ids may hold '+' and '#', so they are compared as text and never as wildcards.
    if (!identity.is_module()) return filter == "devices/" + identity.device + "/messages/devicebound/#";
    const std::string own = "devices/" + identity.device + "/modules/" + identity.module;
    return filter == own + "/inputs/#" || filter == own + "/#";
}

}  // namespace azure
