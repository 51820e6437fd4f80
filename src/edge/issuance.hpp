// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "edge/config.hpp"
#include "pki/csr.hpp"
#include "pki/profile.hpp"

namespace edge {

/// The kind of certificate that an id stands for: the id decides, never the request (interfaces.md 7).
/// "aziot-edged-ca[-temp]": edge_ca; "aziot-edged/module/*:server": server; "aziot-edged/module/*:identity":
/// client; "device-id[-temp]": device; any other: client.
pki::Profile profile_of(std::string_view certificate_id);

/// What to issue for a request under an id. Fails with a bad parameter "csr" where the request asks for
/// CA:TRUE under an id that is none of a CA.
base::Result<pki::IssueInput> issue_input(std::string_view certificate_id, const pki::Csr& csr,
                                          const std::optional<Issuance>& wish);

}  // namespace edge
