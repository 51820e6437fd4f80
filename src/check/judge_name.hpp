// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "check/finding.hpp"

namespace check {

/// RFC 1035 2.3.1 as `iotedge check` reads it (edge-runtime.md 7.5): 1 to 255 characters, labels of 1 to 63
/// that begin with a letter and end with a letter or digit.
bool is_rfc1035(std::string_view name);

/// `hostname` of config.toml: one that a certificate can hold, that fits a common name, and that is the
/// machine's own name or begins with it and a dot. machine: nullopt where several devices share a machine.
Finding judge_hostname(const std::string& hostname, const std::optional<std::string>& machine);

Finding judge_parent_hostname(const std::string& parent);

/// This machine's clock against the Date header of an authenticated answer; 10 s apart is a warning.
Finding judge_clock(base::Instant here, base::Instant there, const std::string& peer);

}  // namespace check
