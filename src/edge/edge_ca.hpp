// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "edge/identity_client.hpp"
#include "edge/renewal.hpp"
#include "edge/service_config.hpp"

namespace edge {

inline constexpr const char* edge_ca_id = "aziot-edged-ca";
/// A self-signed Edge CA that was replaced and has not expired: it stays in the trust bundle.
inline constexpr const char* previous_edge_ca_id = "aziot-edged-ca-previous";

/// The common name of a quickstart Edge CA (interfaces.md 3): `iotedged workload ca <device id in lower
/// case>`, cut to 64 characters.
std::string edge_ca_common_name(const std::string& device);

/// How the Edge CA is kept (edge-runtime.md 7.1, 7.2): one that the operator supplies is watched, any other
/// made and renewed.
RenewalSubject edge_ca_subject(const WorkloadConfig& config, const IdentityClient& identity);

}  // namespace edge
