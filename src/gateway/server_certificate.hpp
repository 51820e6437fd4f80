// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "gateway/workload_client.hpp"
#include "net/tls.hpp"

namespace gateway {

/// When a certificate is to be renewed: after two thirds of its life. Pure.
base::Instant renew_at(const pki::Certificate& certificate);

/// Asks the workload API for a server certificate until there is one; each failure is logged with what is
/// missing. nullptr: cancelled.
net::Task<std::shared_ptr<const net::ServerTls>> obtain_server_tls(WorkloadClient& workload,
                                                                   std::string hostname,
                                                                   const base::Clock& clock);

/// Renews for as long as it is not cancelled, before the certificate in use expires and within a minute of a
/// change of the Edge CA: `replace` gets each new one. While it fails the old one goes on serving.
net::Task<> keep_server_tls(WorkloadClient& workload, std::string hostname, const base::Clock& clock,
                            std::shared_ptr<const net::ServerTls> first,
                            std::function<void(std::shared_ptr<const net::ServerTls>)> replace);

}  // namespace gateway
