// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "edge/paths.hpp"

namespace edge {

/// What an `edge run` tells about itself once all four services serve (`run/aziot/edge-run.toml`, 0600).
struct Running {
    pid_t process;
    /// With which file each service was started (`fingerprints` of service_files.hpp).
    std::map<Service, std::string> started_with;
};

base::Status write_running(const Paths& paths, const Running& running);
void forget_running(const Paths& paths);
/// nullopt where there is none or it does not parse.
std::optional<Running> read_running(const Paths& paths);

/// The process of the `edge run` that holds the lock of these paths; nullopt where none does.
std::optional<pid_t> supervisor_of(const Paths& paths);

}  // namespace edge
