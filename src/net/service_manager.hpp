// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"

namespace net {

/// What a service manager (systemd) and a service it started say to each other: descriptors 3 and up with
/// LISTEN_PID and LISTEN_FDS (sd_listen_fds(3)), and datagrams to NOTIFY_SOCKET (sd_notify(3)).

/// A listening Unix stream socket at `path` that the service manager has opened for this process: a copy of
/// its descriptor, non-blocking, for the caller to close. nullopt where it has passed none for that path; its
/// own stays open, so that a listener can be opened again.
std::optional<int> passed_listener(const std::string& path);

/// Tells the service manager that this process serves. Without one nothing happens.
base::Status notify_ready();

}  // namespace net
