// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "registry/registry.hpp"

namespace app {

/// Writes the devices, modules and twins of a file: a JSON array of bulk items (hub.md 5.3), of any number.
/// What is to be created and exists is left as it is, so that a hub may be started with the same seed again.
/// Fails with the first item that is refused otherwise. Not from the registry's writer thread.
base::Status seed_registry(registry::Registry& registry, const std::filesystem::path& file);

}  // namespace app
