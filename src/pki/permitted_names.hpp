// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pki/certificate.hpp"

struct NAME_CONSTRAINTS_st;

namespace pki {

/// Whether a text names a subtree that a CA may be held to: "DNS:edge1" (that name and all below it),
/// "IP:10.1.0.0/16", "IP:fd00::/8" (RFC 5280 4.2.1.10).
base::Status check_permitted_name(std::string_view text);

/// Whether the certificate holds what is below it to names, in any form.
bool has_name_constraints(const Certificate& certificate);

/// The nameConstraints extension that permits these subtrees and nothing else of their kinds. The caller owns
/// it (NameConstraintsPtr). For `pki` only.
base::Result<NAME_CONSTRAINTS_st*> make_name_constraints(const std::vector<std::string>& permitted);

}  // namespace pki
