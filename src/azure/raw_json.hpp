// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace azure {

/// The members of a JSON object with their values as they stand in the text: a number of a device is shown
/// digit for digit, which a parsed and written one would not be. Borrows from `text`, which must be JSON
/// already (checked by a parser before); nullopt where it is no object.
using RawMembers = std::vector<std::pair<std::string_view, std::string_view>>;
std::optional<RawMembers> raw_members(std::string_view text);
/// The value of that member; empty where there is none.
std::string_view raw_member(const RawMembers& members, std::string_view name);
/// The same members as an object again.
std::string raw_object(const RawMembers& members);

}  // namespace azure
