// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "trust/identity.hpp"

namespace hub {

/// Whether the identity may subscribe to the filter (hub.md 3.6). Pure.
bool is_allowed_filter(const trust::Identity& identity, std::string_view filter);

}  // namespace hub
