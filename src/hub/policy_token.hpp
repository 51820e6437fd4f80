// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "pki/verdict.hpp"
#include "registry/registry.hpp"
#include "trust/sas_token.hpp"

namespace hub {

/// Decides whether a token was signed with a key of the policy that it names, for a resource that covers
/// `wanted` ("ContosoIotHub/devices/TempSensor"), and has not expired (hub.md 2.3). policy: the one that the
/// token names; nullopt where the hub has none of that name. Rights are another question. Pure.
pki::Verdict check_policy_token(const trust::SasToken& token, const std::optional<registry::Policy>& policy,
                                std::string_view wanted, std::span<const std::string> hosts,
                                base::Instant now);

}  // namespace hub
