// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app {

/// Variables for a shell or a program, in order.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// As one word of a shell: as it stands where nothing in it means anything to a shell, else in single quotes.
std::string shell_quoted(std::string_view text);
/// "NAME=value" lines that a shell can source. prefix: what stands before each, such as "export ".
std::string environment_lines(const Environment& environment, std::string_view prefix = {});
/// The same names and values as a JSON object of texts.
std::string environment_json(const Environment& environment);

}  // namespace app
