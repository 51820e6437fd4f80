// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace hub {

/// Where the hub listens: an IP address, or "localhost" for both loopback addresses. Port 0: any free one.
struct Listen {
    std::string address = "::";
    std::uint16_t mqtt_port = 8883;
    std::uint16_t https_port = 443;
};

/// How much a session may have under way before the hub stops reading from it.
struct Flow {
    std::size_t unstored_messages = 64;  ///< 1 to 1024; of up to 256 KiB each
};

/// Messages to devices.
struct CloudToDevice {
    std::chrono::seconds default_ttl = std::chrono::hours(1);  ///< 60 s to 2 days; a message may say its own
    int max_delivery_count = 10;                               ///< 1 to 100 abandonments end a message
};

/// `DIR/hub.toml`, read once and checked whole (docs/reference/hub.md).
struct Config {
    std::filesystem::path data;  ///< the directory that holds registry and messages
    std::vector<std::string>
        names;  ///< the first is the hub's name; all count in user names, audiences and SNI
    Listen listen;
    std::filesystem::path certificate;  ///< PEM: leaf, then intermediates
    std::filesystem::path key;          ///< PEM, 0600
    Flow flow;
    CloudToDevice cloud_to_device;
    bool asks_for_metrics = false;  ///< [metrics] is there; this version serves none

    const std::string& name() const { return names.front(); }
    /// Compares without case and without a port.
    bool is_own_name(std::string_view host) const;
    std::filesystem::path registry_file() const { return data / "registry.db"; }
    std::filesystem::path queue_file() const { return data / "devicebound.db"; }
    std::filesystem::path sessions_file() const { return data / "sessions.db"; }
    std::filesystem::path message_directory() const { return data / "messages"; }
};

/// What options of the command line override.
struct ListenOptions {
    std::optional<std::string> address;
    std::optional<std::uint16_t> mqtt_port;
    std::optional<std::uint16_t> https_port;
};

/// Reads `file`, or DIR/hub.toml where it is empty. Errors list everything that is wrong with it.
base::Result<Config> read_config(const std::filesystem::path& data, const std::filesystem::path& file,
                                 const ListenOptions& options);

/// The text of a first hub.toml.
std::string initial_config(const std::vector<std::string>& names, const Listen& listen,
                           const std::string& certificate, const std::string& key);

/// A hub name: a DNS name or an IP address, at most 253 characters.
base::Status check_hub_name(std::string_view name);

}  // namespace hub
