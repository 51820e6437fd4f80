// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "edge/paths.hpp"

namespace edge {

/// How one service runs.
struct ServiceRun {
    Paths paths;
    Service service;
    /// A pipe that gets one octet once the service serves (workload: and the Edge CA is there). Set by the
    /// parent, with whom the service then ends.
    std::optional<int> ready_descriptor;
};

/// Reads the service's own file and serves until SIGTERM or SIGINT.
base::Status run_service(const ServiceRun& run, const base::Clock& clock);

}  // namespace edge
