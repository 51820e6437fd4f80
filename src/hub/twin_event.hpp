// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "registry/registry.hpp"

namespace hub {

/// The body of the event about a written twin: what a patch has changed, or the whole twin after a
/// replacement; {"version", "tags"?, "properties"?: {"desired"?, "reported"?}}. Pure.
std::string twin_event_body(const registry::TwinChange& change);

}  // namespace hub
