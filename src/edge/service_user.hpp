// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "edge/paths.hpp"

namespace edge {

/// A user of this machine as whom a service may run.
struct ServiceUser {
    std::string name;
    uid_t uid;
    gid_t gid;  ///< its own group
};

/// The user of the gateway in the packaged layout: that of the original's edgeHub.
inline constexpr const char* gateway_user = "edgehubuser";

/// Looks a user up; nullopt where there is none of that name.
using FindUser = std::function<std::optional<ServiceUser>(const std::string& name)>;
std::optional<ServiceUser> find_user(const std::string& name);

/// Whether services change to users of their own: as root in the packaged layout.
bool gives_up_root(const Paths& paths, uid_t present);
bool gives_up_root(const Paths& paths);

/// As whom the service runs; nullopt: as the present user. Fails where that would be root in the packaged
/// layout: a missing user, or one that is root under another name, never means that the service keeps all
/// rights. The error names the user and how to make it.
base::Result<std::optional<ServiceUser>> user_to_become(Service service, const Paths& paths, uid_t present,
                                                        const FindUser& find);
/// The same for this process on this machine.
base::Result<std::optional<ServiceUser>> user_to_become(Service service, const Paths& paths);

/// Fails where this user cannot open the file for reading, by its mode or that of a directory on the way. Asks
/// in a child process that becomes the user; where that is not allowed nothing is found out, and nothing
/// fails.
base::Status check_readable(const ServiceUser& user, const std::filesystem::path& file);

/// Becomes `user` with its groups, for good: the saved ids change too. Only as root.
base::Status become(const ServiceUser& user);

}  // namespace edge
