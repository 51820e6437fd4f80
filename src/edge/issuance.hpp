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
/// client; "device-id[-temp]": device; "est-id[-*]": est_identity; any other: client.
pki::Profile profile_of(std::string_view certificate_id);

/// Refuses, as a bad parameter "csr", a request for CA:TRUE under an id that is none of a CA.
base::Status check_request(std::string_view certificate_id, const pki::Csr& csr);

/// What to issue for a request under an id. Fails as `check_request` does.
base::Result<pki::IssueInput> issue_input(std::string_view certificate_id, const pki::Csr& csr,
                                          const std::optional<Issuance>& wish);

}  // namespace edge
