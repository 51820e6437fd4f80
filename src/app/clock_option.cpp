// SPDX-License-Identifier: Apache-2.0
#include "app/clock_option.hpp"

namespace app {

// A switch that revives expired certificates does not ship: sallyport-testing has another source in this
// one's place.
void add_clock_option(CLI::App&) {}

}  // namespace app
