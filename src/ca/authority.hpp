// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "ca/config.hpp"
#include "pki/certificate.hpp"
#include "pki/csr.hpp"
#include "pki/key.hpp"
#include "pki/profile.hpp"

namespace ca {

/// What is asked of the CA: the key, the names and the kind. Everything else is the profile's.
struct Request {
    pki::Profile profile;
    pki::PublicKey key;
    std::string common_name{};
    std::vector<std::string> names{};
    std::optional<std::chrono::days> lifetime{};
    bool client_auth = false;
};

/// The issuing CA of a data directory: its lock, its configuration, its certificates and the key of the
/// lowest one. The keys above are not touched, so that they may be kept elsewhere. Not for concurrent use.
class Authority {
  public:
    /// Fails with not_found where `data` holds no CA, address_in_use where another process works on it.
    static base::Result<Authority> open(const std::filesystem::path& data);

    /// Signs and answers leaf first, then the issuers up to but without the root.
    base::Result<pki::Chain> issue(const Request& request, base::Instant now);

    const Config& config() const { return config_; }
    const pki::Certificate& root() const { return root_; }
    /// The issuing CA first, without the root; empty where the root itself issues.
    const pki::Chain& issuers() const { return issuers_; }

  private:
    Authority(base::DirectoryLock lock, Config config, pki::Certificate root, pki::Chain issuers,
              pki::PrivateKey key)
        : lock_(std::move(lock)),
          config_(std::move(config)),
          root_(std::move(root)),
          issuers_(std::move(issuers)),
          key_(std::move(key)) {}

    base::DirectoryLock lock_;
    Config config_;
    pki::Certificate root_;
    pki::Chain issuers_;
    pki::PrivateKey key_;
};

/// Refuses a request that asks for power which its profile does not give: CA:TRUE or certificate signing in a
/// leaf (est-and-pki.md 3.2). Harmless wishes are left to the profile.
base::Status check_wishes(const pki::Csr& csr, pki::Profile profile);

}  // namespace ca
