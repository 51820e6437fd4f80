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

/// The directory that all services share, and whose lock says that one `edge run` is at work.
base::Status make_shared_home(const Paths& paths);

/// Writes them as 00-super.toml, 0600, and an inline device key as a file of the keys service, which `files`
/// then names. owner: who shall own each service's directories and files; nullopt leaves them to the present
/// user.
base::Status write_service_files(const Configuration& configuration, const Paths& paths, const Users& users,
                                 bool give_away);

}  // namespace edge
