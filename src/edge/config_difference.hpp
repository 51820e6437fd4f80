// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "edge/paths.hpp"

namespace edge {

/// One key of one service that differs.
struct Difference {
    Service service;
    std::string key;                    ///< "hub.iothub_address", "principal[mod1].names"
    std::optional<std::string> before;  ///< as TOML writes it; nullopt: was not there
    std::optional<std::string> after;   ///< nullopt: is not there any more
};

/// Compares what services read now (TOML texts; "" where nothing) with what they are to read, key by key, in
/// order of services and keys. Tables of an array are told apart by their name or uid, not by their place. A
/// PIN within a URI and a password are masked; the service files hold no other secret.
std::vector<Difference> differences(const std::map<Service, std::string>& present,
                                    const std::map<Service, std::string>& wanted);

}  // namespace edge
