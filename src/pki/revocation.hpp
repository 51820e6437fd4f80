// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "pki/certificate.hpp"
#include "pki/verify.hpp"

namespace pki {

/// Asks the CRLs of the decision about each certificate of a path that reaches its anchor, from the anchor
/// down: only a CA that is trusted by then is believed about its own. One step `path.revocation` for each,
/// and true where none failed. The anchor itself is asked about where another anchor issued it.
bool check_revocation(std::span<const Certificate* const> path, const VerifyInput& input, Verdict& verdict);

}  // namespace pki
