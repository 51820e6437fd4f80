// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "ca/inventory.hpp"
#include "pki/profile.hpp"

namespace ca {

/// Who may have which names: templates for the common name and for SANs ("DNS:{device}.plant.local").
struct NameRules {
    std::vector<std::string> subjects;
    std::vector<std::string> sans;
};

/// `[est.label.X]`: which profile each kind of caller gets there.
struct LabelConfig {
    std::string name;
    std::map<Actor::Kind, pki::Profile> profiles;  ///< of bootstrap, est_identity and user
    NameRules names;                               ///< what a caller of kind est_identity may ask for

    bool mentions(pki::Profile profile) const;
};

/// `[[bootstrap]]`: certificates that may enrol for the first time.
struct BootstrapConfig {
    std::string name;
    std::filesystem::path anchors;    ///< PEM file; empty: certificates of our own profile `bootstrap`
    std::vector<std::string> labels;  ///< empty: every label that has a profile for bootstrap callers
    NameRules names;
};

/// `[[user]]`: HTTP basic.
struct UserConfig {
    std::string name;
    std::string password_hash;        ///< "$argon2id$..."
    std::vector<std::string> labels;  ///< empty: every label that has a profile for users
    NameRules names;
};

/// The tables of ca.toml that are about EST.
struct EstConfig {
    std::string address = "::";
    std::uint16_t port = 9443;
    std::vector<std::string> names;  ///< of the server's own certificate; empty: localhost and the machine's
    std::string default_label = "device";
    int per_name_per_hour = 60;  ///< issuances to one caller for one name
    std::vector<LabelConfig> labels;
    std::vector<BootstrapConfig> bootstraps;
    std::vector<UserConfig> users;

    const LabelConfig* label(std::string_view name) const;
    const UserConfig* user(std::string_view name) const;
};

/// `directory`: that of ca.toml, for relative files.
EstConfig read_est_config(base::ConfigTable& document, const std::filesystem::path& directory);

}  // namespace ca
