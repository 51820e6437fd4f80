// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "crl/settings.hpp"

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

/// How long the message log keeps what devices have sent. Whole segments are dropped.
struct Retention {
    std::chrono::seconds age = std::chrono::days(7);  ///< 0: for ever
    std::uint64_t bytes = 0;                          ///< 0: however much it is
};

/// How many explanations of refusals are kept, and how long.
struct ExplainLimits {
    std::size_t count = 100'000;
    std::chrono::seconds age = std::chrono::days(30);
};

/// The kinds of operations that have a rate of their own (hub.md 10). none: never limited.
enum class Operation : std::size_t {
    none,
    connects,
    telemetry,
    registry,
    queries,
    twin_reads,
    twin_updates,
    methods,
    cloud_to_device
};
inline constexpr std::size_t operations = 9;

/// So many operations a period; 0: no limit.
struct Rate {
    std::uint32_t count = 0;
    std::chrono::seconds period{1};
};
using ThrottleRates = std::array<Rate, operations>;  ///< by Operation

/// What the hub itself tells in the message log.
struct EventWishes {
    bool lifecycle = false;         ///< identities created and deleted
    bool connection_state = false;  ///< devices and modules that come and go
    bool twin_changes = false;
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
    bool resumption = false;            ///< clients may resume TLS sessions
    Flow flow;
    Retention retention;
    ExplainLimits explain;
    EventWishes events;
    ThrottleRates throttle{};
    CloudToDevice cloud_to_device;
    crl::Settings revocation;       ///< crl_urls, crl_max_age
    bool asks_for_metrics = false;  ///< [metrics] is there; this version serves none

    const std::string& name() const { return names.front(); }
    /// Compares without case and without a port.
    bool is_own_name(std::string_view host) const;
    std::filesystem::path registry_file() const { return data / "registry.db"; }
    std::filesystem::path consumers_file() const { return data / "consumers.db"; }
    std::filesystem::path explanations_file() const { return data / "explanations.db"; }
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
