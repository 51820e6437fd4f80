// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/record.hpp"

/// Records for the tests of the gateway.
namespace records {

inline std::string scope_of(const std::string& edge) {
    return "ms-azure-iot-edge://" + edge + "-639000000000000001";
}

inline trust::Record edge(const std::string& id, const std::vector<std::string>& parents = {}) {
    trust::Record record;
    record.identity = {id, ""};
    record.generation = "639000000000000001";
    record.edge_enabled = true;
    record.device_scope = scope_of(id);
    for (const auto& parent : parents) record.parent_scopes.push_back(scope_of(parent));
    return record;
}

inline trust::Record leaf(const std::string& id, const std::string& parent,
                          const std::string& key = "c2VjcmV0") {
    trust::Record record;
    record.identity = {id, ""};
    record.generation = "639000000000000002";
    record.device_scope = scope_of(parent);
    record.parent_scopes = {scope_of(parent)};
    record.authentication.type = trust::AuthType::sas;
    record.authentication.primary_key = key;
    record.authentication.secondary_key = key;
    return record;
}

inline trust::Record module(const std::string& device, const std::string& id) {
    trust::Record record;
    record.identity = {device, id};
    record.generation = "639000000000000003";
    record.authentication.type = trust::AuthType::sas;
    record.authentication.primary_key = "bW9kdWxl";
    record.authentication.secondary_key = "bW9kdWxl";
    return record;
}

}  // namespace records
