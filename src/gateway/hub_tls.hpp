// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "gateway/config.hpp"
#include "net/task.hpp"
#include "net/tls.hpp"

namespace gateway {

/// What the gateway trusts towards its hub. When the trusted certificates change on disk a fresh context is
/// made and swapped whole: OpenSSL's own store can only gain anchors, so that one that was taken out would
/// live on. On one loop.
class HubTls {
  public:
    static base::Result<std::unique_ptr<HubTls>> open(const Config& config);

    /// For the next connection.
    std::shared_ptr<const net::ClientTls> get() const { return current_; }
    /// Reads the certificates again; true where they are others now. What cannot be read leaves everything as
    /// it is.
    base::Result<bool> refresh();
    /// Refreshes every minute (the OS trust store: every quarter of an hour) and calls `replaced` after each
    /// change, until it is cancelled.
    net::Task<> keep(const base::Clock& clock, std::function<void()> replaced);

  private:
    explicit HubTls(const Config& config) : config_(config) {}

    const Config& config_;
    std::vector<pki::Sha256> anchors_;  ///< of `current_`, sorted
    std::shared_ptr<const net::ClientTls> current_;
};

}  // namespace gateway
