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
#include "ca/est_config.hpp"
#include "ca/http_config.hpp"
#include "pki/key.hpp"
#include "pki/profile.hpp"

namespace ca {

/// `[profile.X]`: what this CA does differently from the profile itself.
struct ProfileConfig {
    std::optional<std::chrono::days> lifetime;
    std::optional<pki::KeyType> key_type;  ///< of keys that `ca issue --key-out` makes
    bool client_auth = false;              ///< server alone
    /// What EST may certify of this profile, as descriptions ("EC P-256", "RSA 2048"); empty: any.
    std::vector<std::string> keys{};
    bool manual = false;        ///< each issuance by EST waits for an operator
    bool serverkeygen = false;  ///< EST makes keys
    bool wildcards = false;     ///< server alone
    enum class Rekey { allow, require, forbid };
    Rekey rekey = Rekey::allow;  ///< whether a renewal may, must or must not bring another key
    /// How long after its end a certificate still renews itself, with its own key.
    std::optional<std::chrono::seconds> renew_after_expiry{};
};

/// `ca.toml` (docs/reference/ca.md).
struct Config {
    std::string root;
    std::vector<std::string> chain;  ///< intermediates from below the root downwards; the last one issues
    std::map<pki::Profile, ProfileConfig> profiles;
    EstConfig est{};
    HttpConfig http{};

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
