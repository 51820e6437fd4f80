// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/clock.hpp"
#include "edge/config.hpp"

namespace edge {

/// What was found about a configuration: problems, with which it must not be used, and warnings.
struct Findings {
    std::vector<base::Error> problems;
    std::vector<base::Error> warnings;
    void add(Findings more);
};

/// Looks at the files that config.toml names: certificates that parse, keys that only their owner may read
/// and that belong to their certificate. What is to be made or issued is not looked at, nor what lies behind
/// another scheme than file:.
Findings look_at_files(const Configuration& configuration);

/// The first problem of `look_at_files`: what `edge run` asks before anything starts.
base::Status check_given_files(const Configuration& configuration);

/// Looks at what the certificates say, where they parse: an Edge CA or local CA that is no CA or whose chain
/// does not lead to an anchor of the trust bundle or to a self-signed certificate of its own file is a
/// problem; so is a file whose certificates do not follow from each other. Dates that have passed or are to
/// come are warnings, since a device must come back with them too, and so is a device certificate whose
/// issuer this device does not know.
Findings look_at_chains(const Configuration& configuration, base::Instant now);

/// Modules that share a user can obtain each other's keys and certificates: a warning.
Findings look_at_principals(const Configuration& configuration);

}  // namespace edge
