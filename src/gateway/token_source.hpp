// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "gateway/workload_client.hpp"

namespace gateway {

/// The gateway's own SAS token towards the hub: signed by the workload API, one hour long, used until half of
/// it is gone (gateway.md 3.5). On its own loop.
class TokenSource {
  public:
    TokenSource(const Config& config, WorkloadClient& workload, const base::Clock& clock);
    /// Fails after `limit` where the workload API does not answer.
    net::Task<base::Result<std::string>> token(std::chrono::milliseconds limit = workload_limit);
    /// The hub refused it: the next call signs a new one.
    void forget() { cached_.reset(); }

  private:
    struct Cached {
        std::string text;
        base::Instant made;
    };
    std::string resource_;
    WorkloadClient& workload_;
    const base::Clock& clock_;
    std::optional<Cached> cached_;
};

}  // namespace gateway
