// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "gateway/config.hpp"
#include "net/loop.hpp"

namespace gateway {

struct ServerOptions {
    Config config;
    Paths paths;
    std::optional<std::filesystem::path> ready_file;  ///< written once it serves: MQTT_PORT=, PID=
};

/// A gateway, wired together: the sessions on every loop, everything towards hub and edge device on loop 0.
class Server {
  public:
    /// Takes the data directory and opens what lies in it.
    static base::Result<std::unique_ptr<Server>> open(ServerOptions options, const base::Clock& clock);
    ~Server();
    /// Serves until SIGTERM, SIGINT or `stop`. Fails where it cannot begin to serve (a port that is taken).
    base::Status run();
    /// From any thread.
    void stop();
    /// The port that devices connect to; 0 while it does not serve. From any thread.
    std::uint16_t mqtt_port() const;

    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
