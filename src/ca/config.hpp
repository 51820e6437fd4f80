// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pki/key.hpp"
#include "pki/profile.hpp"

namespace ca {

/// `[profile.X]`: what this CA does differently from the profile itself.
struct ProfileConfig {
    std::optional<std::chrono::days> lifetime;
    std::optional<pki::KeyType> key_type;  ///< of keys that `ca issue --key-out` makes
    bool client_auth = false;              ///< server alone
};

/// `ca.toml` (docs/reference/ca.md).
struct Config {
    std::string root;
    std::vector<std::string> chain;  ///< intermediates from below the root downwards; the last one issues
    std::map<pki::Profile, ProfileConfig> profiles;

    /// The name of the CA that issues: the lowest intermediate, the root where there is none.
    const std::string& issuing() const { return chain.empty() ? root : chain.back(); }
    ProfileConfig profile(pki::Profile which) const;
};

base::Result<Config> read_config(const std::filesystem::path& file);
/// The text of the `ca.toml` that `ca init` leaves behind.
std::string config_text(const Config& config);

/// Refuses a name for a CA: it becomes the common name and a file name, so 1 to 64 letters, digits, spaces
/// and
/// "._-", the first one a letter or digit.
base::Status check_ca_name(std::string_view name);

}  // namespace ca
