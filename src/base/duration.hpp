// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

#include "base/error.hpp"

namespace base {

/// Reads "90d", "-12h", "1d12h30m", "45s" or "0": whole numbers with the units d, h, m and s, a sign for the
/// whole in front; white space around it is ignored. Fails with `malformed`, also beyond 10,000 years.
Result<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace base
