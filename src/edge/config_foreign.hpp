// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/config.hpp"

namespace edge {

/// Takes a table as known without looking into it: every key in it, at every depth.
void take_whole(base::ConfigTable table);

}  // namespace edge
