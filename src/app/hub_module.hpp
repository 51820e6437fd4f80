// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/command.hpp"

namespace app {

/// hub module create, show, list, update, delete; az's name module-identity.
void add_hub_module(CLI::App& hub, Run& run);

}  // namespace app
