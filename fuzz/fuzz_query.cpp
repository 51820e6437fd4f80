// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "azure/query.hpp"

namespace {

/// A twin with something of every type.
boost::json::object twin() {
    return boost::json::parse(R"({"deviceId":"TempSensor","status":"enabled","statusReason":null,"version":2,
        "tags":{"floor":3,"site":"here","flag":true,"list":[1,"a",null],"deep":{"a":{"b":1.5}}},
        "properties":{"desired":{"$version":1},"reported":{"t":-1}},"parentScopes":["x"]})")
        .get_object();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto document = twin();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto condition = azure::Condition::parse(text)) condition->holds(document);
    const auto query = azure::Query::parse(text);
    if (!query) return 0;
    const bool matches = query->matches(document);
    // What cannot match by its id must not match by its condition.
    const auto ids = query->ids();
    const bool inside = "TempSensor" >= ids.first && (ids.last.empty() || "TempSensor" <= ids.last);
    if (matches && !inside) std::abort();
    if (query->aggregates()) {
        azure::QueryGroups groups(*query);
        if (!groups.add(document)) std::abort();
        if (groups.rows().size() != 1) std::abort();
    } else if (query->project(document).size() > query->columns().size()) {
        std::abort();
    }
    return 0;
}
