// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.hpp"
#include "registry/registry.hpp"

/// The errors of the registry, each once. `azure_code` knows them by the first words of the thing.
namespace registry::refusals {

/// "device TempSensor" or "module EdgeGateway/mod1".
std::string thing(const trust::Identity& id);
inline std::string certificate_thing(const std::string& name) {
    return "CA certificate " + name;
}

std::unexpected<base::Error> not_found(std::string thing);
std::unexpected<base::Error> already_exists(std::string thing);
std::unexpected<base::Error> device_scope(const std::string& scope, std::string reason, std::string fix = {});
std::unexpected<base::Error> too_many_modules(const std::string& device);
std::unexpected<base::Error> system_module(const trust::Identity& id);
inline std::string configuration_thing(const std::string& id) {
    return "configuration " + id;
}
std::unexpected<base::Error> too_many_configurations();
std::unexpected<base::Error> immutable_content(const std::string& id);
/// Empty where the etag that is asked for is there.
base::Status check_match(const IfMatch& match, const std::string& etag, std::string thing);

}  // namespace registry::refusals
