// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "check/check.hpp"

namespace check {

struct Result {
    Check check;
    Finding finding;
};
using Report = std::vector<Result>;

/// The checks named by id or group, in the order of the table; all of them where `only` is empty. Fails with
/// `usage` for a name that is none.
base::Result<std::vector<Check>> choose(const std::vector<std::string>& only,
                                        const std::vector<std::string>& but);

/// Runs them one after the other.
net::Task<Report> run_checks(std::vector<Check> checks, Device& device);

/// What the report says as a whole: error, unknown, warning or ok.
Outcome verdict_of(const Report& report);

/// "ok  hostname  ..." grouped, one line a check, and its fix below where it is not good. Ignored ones are
/// left out.
std::string to_text(const Report& report);
/// {"checks": [{"id", "description", "result", "reason", "fix"}]}, all members always there.
std::string to_json(const Report& report);

}  // namespace check
