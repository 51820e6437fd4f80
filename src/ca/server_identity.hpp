// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ca/ledger.hpp"
#include "net/tls.hpp"

namespace ca {

/// The TLS certificate of the CA's own server, which it issues to itself and renews when two thirds of its
/// life have passed. Kept as server.pem and private/server.key.pem in the data directory.
class ServerIdentity {
  public:
    /// names: what clients dial. Uses what is there where it covers the names and is fresh, else issues.
    static base::Result<ServerIdentity> load_or_issue(const std::filesystem::path& data,
                                                      std::vector<std::string> names, Ledger& ledger,
                                                      base::Instant now);
    const std::shared_ptr<const net::ServerTls>& tls() const { return tls_; }
    base::Instant renew_at() const { return renew_at_; }

  private:
    ServerIdentity(std::shared_ptr<const net::ServerTls> tls, base::Instant renew_at)
        : tls_(std::move(tls)), renew_at_(renew_at) {}
    std::shared_ptr<const net::ServerTls> tls_;
    base::Instant renew_at_;
};

/// localhost, 127.0.0.1, ::1 and this machine's name.
std::vector<std::string> local_names();

}  // namespace ca
