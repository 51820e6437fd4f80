// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "edge/est_record.hpp"

namespace edge {

/// When an EST server may be asked again (est-and-pki.md 1.14). A server that cannot be reached holds
/// everything that is to come from it, so that nothing waits for it in turn; any other failure holds the one
/// certificate. Kept as files; after a restart only what waits for an operator is still held. On one loop.
class EstPace {
  public:
    EstPace(std::filesystem::path directory, const base::Clock& clock);

    /// Fails with rate_limited, the reason and the time, where it is too early to ask for this certificate.
    base::Status allowed(const std::string& id, const std::string& origin) const;
    /// The request that a server has under this id and has not decided, as PEM; empty: none.
    const std::string& pending(const std::string& id) const;

    /// Why this certificate did not come last time; nullopt where it did.
    std::optional<std::string> reason(const std::string& id) const;

    /// Notes a failure and says it to the log; answers with what the caller is told. request: PEM.
    base::Error failed(const std::string& id, const std::string& url, const std::string& origin,
                       const std::string& request, const est::Failure& failure);
    void succeeded(const std::string& id, const std::string& origin);

  private:
    struct Server {
        int failures = 0;
        base::Instant next{};
        base::Error why{};
    };
    bool is_early(base::Instant next) const;
    base::Error told(const base::Error& why, base::Instant next) const;

    std::filesystem::path directory_;
    const base::Clock& clock_;
    std::map<std::string, EstRecord> by_id_;
    std::map<std::string, Server> by_origin_;
};

}  // namespace edge
