// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"

namespace registry {

/// Decides whether `proof` shows that its maker holds the key of `ca`: signed by it and nobody in between,
/// common name equal to `code` whatever the case, both valid at `now` (hub.md 8). Pure. Fails with
/// invalid_argument that names the check.
base::Status check_possession(const pki::Certificate& proof, const pki::Certificate& ca,
                              std::string_view code, base::Instant now);

}  // namespace registry
