// SPDX-License-Identifier: Apache-2.0
#include "app/command.hpp"

namespace app {

void add_hub_monitor(CLI::App&, Run&) {}

}  // namespace app
