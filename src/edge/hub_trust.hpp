// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "edge/config.hpp"
#include "pki/trust_bundle.hpp"

namespace edge {

/// The anchors by which this device judges the hub, or a parent in its place: [provisioning] trusted_certs,
/// else the OS trust store.
base::Result<std::shared_ptr<const pki::TrustBundle>> hub_trust(const HubAddress& hub);

}  // namespace edge
