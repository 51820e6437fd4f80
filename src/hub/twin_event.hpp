// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "registry/registry.hpp"

namespace hub {

/// The body of the event that tells of a twin's creation or of its replacement: ids, etag, version, tags and
/// both properties with $metadata and $version.
std::string whole_twin_body(const trust::Identity& identity, const azure::Twin& twin);

/// The body of the event that tells of a patch: the new version and what was written, with the $metadata of
/// that alone. A member that was deleted stands as null.
std::string twin_patch_body(const registry::TwinChange& change);

}  // namespace hub
