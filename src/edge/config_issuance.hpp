// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "edge/config.hpp"

namespace edge {

/// A certificate or key that the operator names; complains where it is no file URI.
std::optional<Uri> read_uri(base::ConfigTable& table, std::string_view key);

/// The issuance options of a table (edge-runtime.md 8.2), with the credential of an EST server where it has
/// one of its own.
Issuance read_issuance(base::ConfigTable& table, std::vector<std::string>& notices);

/// [cert_issuance.est], where it is there.
void read_est(base::ConfigTable& cert_issuance, Configuration& into);

/// Once everything is read: complains of a certificate that is to come from an EST server and has no URL, no
/// anchor or no credential there.
void check_est(base::ConfigTable& root, const Configuration& configuration);

}  // namespace edge
