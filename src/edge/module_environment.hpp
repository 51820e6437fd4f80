// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "edge/identity_client.hpp"
#include "edge/service_config.hpp"

namespace edge {

/// The variables of a module in order (edge-runtime.md 6.7).
using Environment = std::vector<std::pair<std::string, std::string>>;
Environment module_environment(const WorkloadConfig& config, const ModuleIdentity& identity);

/// As a file for systemd's EnvironmentFile= that a shell can source too.
std::string environment_file(const Environment& environment);
/// The gateway's own configuration: hostname, [hub], [listen], [environment].
std::string gateway_file(const WorkloadConfig& config, const Environment& environment);

/// Writes `<edged home>/env/<module>.env` (0644), and for $edgeHub the gateway's file (0600). Answers whether
/// anything was different from what was there.
base::Result<bool> write_module_files(const WorkloadConfig& config, const ModuleIdentity& identity);

}  // namespace edge
