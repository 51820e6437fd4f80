// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "edge/config.hpp"
#include "net/connect.hpp"
#include "pki/verdict.hpp"

namespace check {

/// How long one answer is waited for.
inline constexpr std::chrono::seconds patience{10};

/// What connecting to a TLS server came to.
struct TlsProbe {
    base::Result<pki::Chain> presented;  ///< its chain, where it was accepted
    pki::Verdict verdict;                ///< no steps: it never came to a certificate
};
net::Task<TlsProbe> probe_tls(net::TlsTarget target, std::shared_ptr<const pki::TrustBundle> trust,
                              const base::Clock& clock);

/// What the hub's HTTPS port said.
struct HubProbe {
    base::Status reached;
    pki::Verdict verdict;
    std::optional<base::Instant> date;  ///< of its answer
    base::Instant asked;                ///< this machine's time when it came
};
net::Task<HubProbe> probe_hub(net::TlsTarget target, std::shared_ptr<const pki::TrustBundle> trust,
                              const base::Clock& clock);

/// Where and as whom the services look for the hub: the parent where there is one.
net::TlsTarget hub_target(const edge::Configuration& configuration, std::uint16_t port);

}  // namespace check
