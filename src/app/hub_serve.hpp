// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "hub/config.hpp"
#include "hub/server.hpp"

namespace app {

/// --listen, --mqtt-port and --https-port.
struct ListenWish {
    std::string address;  ///< empty: not given
    std::optional<std::uint16_t> mqtt_port;
    std::optional<std::uint16_t> https_port;

    hub::ListenOptions options() const;
    /// What was given, in place of what stands in `listen`.
    hub::Listen over(hub::Listen listen) const;
};
void add_listen_options(CLI::App& command, ListenWish& listen, const std::string& default_address);

/// What `hub run` and `hub dev` do beside serving.
struct ServeHooks {
    /// On the hub that is open and serves nobody yet.
    std::function<base::Status(hub::Hub&)> prepare;
    /// On a loop, so that it means what it says: the hub serves. A failure ends it.
    std::function<base::Status(hub::Hub&)> serving;
};

/// Opens the hub and serves until SIGTERM or SIGINT.
base::Status serve_hub(hub::Config config, const ServeHooks& hooks);

}  // namespace app
