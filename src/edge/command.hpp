// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace edge {

/// Splits a command line into its argument vector, as a shell would for plain words: blanks separate, quotes
/// and backslashes keep together. Nothing is expanded. Fails with usage for an empty line or an open quote.
base::Result<std::vector<std::string>> split_command(std::string_view line);

/// Runs a program of the search path with these arguments, no shell, its input empty and its output ours, and
/// waits for its end. Fails with not_found where there is no such program, with internal where it did not
/// exit with 0, and with timeout after `limit`: then it is killed.
base::Status run_command(const std::vector<std::string>& arguments, std::chrono::seconds limit);

}  // namespace edge
