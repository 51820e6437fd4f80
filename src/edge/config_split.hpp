// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "edge/config.hpp"

namespace edge {

/// Who runs what: the uid of each service, and of a module whose principal names none (the gateway).
struct Users {
    std::map<Service, uid_t> service;
    uid_t module_default;
};

/// The own file of each service (edge-runtime.md 8.3). Pure; no file holds a key.
std::map<Service, std::string> split_configuration(const Configuration& configuration, const Paths& paths,
                                                   const Users& users);

}  // namespace edge
