// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace edge {

/// Removes what a write left beside its file when a kill or a power cut ended it (base::write_atomically); a
/// directory that is not there has none. For the start of the service whose directory it is.
base::Status remove_leftovers(const std::filesystem::path& directory);

/// Renames a damaged file of ours to "<name>.damaged" (an older one of that name goes) and logs where it is
/// and why, so that a new one can take its place and nothing is lost.
base::Status set_aside(const std::filesystem::path& file, std::string_view reason);

/// Removes a file so that it stays removed after a power cut; an absent one is a success.
base::Status remove_durably(const std::filesystem::path& file, std::string_view what);

}  // namespace edge
