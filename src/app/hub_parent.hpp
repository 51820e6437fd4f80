// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/command.hpp"

namespace app {

/// hub device parent set, show; hub device children add, list, remove.
void add_hub_parent(CLI::App& device, Run& run);

}  // namespace app
