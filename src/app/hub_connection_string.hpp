// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/command.hpp"

namespace app {

enum class Whose { device, module };
/// `connection-string show` below `hub device` or `hub module`, as az has it.
void add_identity_connection_string(CLI::App& group, Run& run, Whose whose);

}  // namespace app
