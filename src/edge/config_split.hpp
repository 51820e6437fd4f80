// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "edge/config.hpp"

namespace edge {

/// Who runs what: the uid of each service, and of a module whose principal names none.
struct Users {
    std::map<Service, uid_t> service;
    uid_t module_default;
    /// The gateway's own, where the package has made it; otherwise as for any module.
    std::optional<uid_t> gateway{};
    std::optional<gid_t> gateway_group{};
};

/// The own file of each service (edge-runtime.md 8.3). Pure; no file holds a key, that of
/// the certificates service the password of an EST server.
std::map<Service, std::string> split_configuration(const Configuration& configuration, const Paths& paths,
                                                   const Users& users);

}  // namespace edge
