// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "edge/config_difference.hpp"
#include "edge/given_files.hpp"
#include "edge/take_over.hpp"

namespace edge {

/// What `edge config apply` is asked for.
struct Application {
    Paths paths;
    /// Read in place of config.toml, and becomes it once it has been found good.
    std::optional<std::filesystem::path> file;
    bool dry_run = false;
};

/// What it found and did.
struct Applied {
    Findings findings;
    std::vector<std::string> notices;
    std::vector<Difference> differences;
    bool device_key_differs = false;  ///< the inline key, of which nothing is shown
    bool written = false;
    TakeOver take_over;
    /// The written time that lay ahead of the clock and was taken back (edge/clock_floor.hpp).
    std::optional<base::Instant> floor_taken_back;
    bool is_good() const { return findings.problems.empty(); }
    /// The gateway is no service of `edge run`: true where it has something new to read.
    bool concerns_gateway() const;
};

/// Validates everything, compares it with what is there, and (unless dry_run, or a problem was found) writes
/// all files of the services, makes the running ones take them over, and takes back a clock floor that lies
/// after `now`. An error is what kept it from finding
/// out or doing; a configuration that will not do is an answer.
base::Result<Applied> apply_configuration(const Application& application, base::Instant now);

/// Reads and looks at one configuration as `apply` does; nullopt where it cannot be read as one, and then the
/// findings say why.
std::optional<Configuration> examine(base::Result<Configuration> read, base::Instant now, Findings& findings);

}  // namespace edge
