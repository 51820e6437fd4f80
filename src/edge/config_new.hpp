// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "edge/given_files.hpp"

namespace edge {

/// What a first config.toml is made of.
struct NewConfiguration {
    std::string hostname;
    std::string connection_string;  ///< of a device with a key; else the four below
    std::string hub_hostname;       ///< host[:https-port]
    std::string device_id;
    std::filesystem::path identity_certificate;
    std::filesystem::path identity_key;

    std::optional<std::filesystem::path> trust_bundle;
    std::optional<std::pair<std::filesystem::path, std::filesystem::path>> edge_ca;  ///< certificate, key
    std::optional<std::filesystem::path> hub_ca;  ///< in place of the OS trust store towards the hub
    std::optional<std::string> hub_address;
    std::optional<std::uint16_t> hub_mqtt_port;
};

/// The text of a commented config.toml. Paths become absolute file URIs.
std::string new_configuration_text(const NewConfiguration& wish);

/// Looks at the text as `edge config apply` would.
Findings look_at_new_configuration(const std::string& text, base::Instant now);

/// Writes it, 0600 from birth. Fails with already_exists where `file` is there and `force` is not set.
base::Status write_new_configuration(const std::filesystem::path& file, const std::string& text, bool force);

}  // namespace edge
