// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "store/database.hpp"

namespace registry {

/// The steps of the registry's schema, oldest first.
std::span<const store::Migration> migrations();

}  // namespace registry
