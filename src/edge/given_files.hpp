// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "edge/config.hpp"

namespace edge {

/// Looks at the files that config.toml names before anything starts: certificates that parse, keys that only
/// their owner may read and that belong to their certificate. Fails with the first that will not do and its
/// remedy. What is to be made or issued is not looked at, nor what lies behind another scheme than file:.
base::Status check_given_files(const Configuration& configuration);

}  // namespace edge
