// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "edge/config_split.hpp"
#include "edge/paths.hpp"

namespace edge {

/// How the parent of the four services runs.
struct SupervisorRun {
    Paths paths;
    /// Arguments of this program that each child gets too, before `edge run`: the log's level and format.
    std::vector<std::string> arguments;
    std::optional<std::filesystem::path> ready_file;
};

/// The users of this run: the packaged ones as root in the packaged layout, otherwise the present one. Fails
/// where a packaged one is missing.
base::Result<Users> users_of(const Paths& paths);

/// Validates config.toml, writes each service its own file, and runs the four as child processes until
/// SIGTERM, SIGINT or SIGHUP; on SIGUSR1 those whose file has changed since are restarted. Fails where a
/// child ended by itself: then its last words are told and the others are ended.
base::Status supervise(const SupervisorRun& run);

}  // namespace edge
