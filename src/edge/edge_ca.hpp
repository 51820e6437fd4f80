// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "edge/certificates_client.hpp"
#include "edge/keys_client.hpp"
#include "edge/service_config.hpp"

namespace edge {

inline constexpr const char* edge_ca_id = "aziot-edged-ca";

/// The common name of a quickstart Edge CA (interfaces.md 3): `iotedged workload ca <device id in lower
/// case>`, cut to 64 characters.
std::string edge_ca_common_name(const std::string& device);

/// Makes sure that the Edge CA exists (edge-runtime.md 7.2): a user-supplied one must be there with its key;
/// otherwise a key pair is made in the keys service and the certificate asked for. Fails where certificate
/// and key are no pair.
net::Task<base::Result<pki::Certificate>> ensure_edge_ca(WorkloadConfig config, std::string device,
                                                         KeysClient keys, CertificatesClient certificates,
                                                         const base::Clock& clock);

}  // namespace edge
