// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>

namespace app {

/// Adds `--clock-file FILE` to every command of sallyport-testing; nothing to sallyport (interfaces.md 8).
void add_clock_option(CLI::App& root);

}  // namespace app
