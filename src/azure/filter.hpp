// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "trust/identity.hpp"

namespace azure {

/// Whether an identity may subscribe to a filter (hub.md 3.6): its own cloud-to-device messages (devices),
/// its own inputs (modules), twin answers, desired properties and method calls. One rule at hub and gateway.
bool may_subscribe(const trust::Identity& identity, std::string_view filter);

}  // namespace azure
