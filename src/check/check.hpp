// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "check/device.hpp"
#include "check/finding.hpp"
#include "net/task.hpp"

namespace check {

/// One check. Ids are those of `iotedge check` and `aziotctl check` where they have it (edge-runtime.md 10),
/// and never change.
struct Check {
    std::string_view id;
    std::string_view group;
    std::string_view description;  ///< what is so where it is ok: "the keys service answers"
    /// Skipped where config.toml cannot be read, since it looks at what that names.
    enum class Needs { nothing, configuration } needs;
    std::variant<Finding (*)(const Device& device), net::Task<Finding> (*)(Device& device)> run;
};

/// One table a family, each in its own source, in the order in which they run.
std::span<const Check> configuration_checks();
std::span<const Check> host_checks();
std::span<const Check> certificate_checks();
std::span<const Check> key_checks();
std::span<const Check> edge_ca_checks();
std::span<const Check> service_checks();
std::span<const Check> upstream_checks();
std::span<const Check> est_checks();
std::span<const Check> gateway_checks();
std::vector<Check> all_checks();

}  // namespace check
