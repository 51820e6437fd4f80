// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "ca/server.hpp"

namespace app {

/// Opens the CA's server and serves until SIGTERM or SIGINT. serving: called on a loop, so that it means what
/// it says; a failure ends it.
base::Status serve_ca(const std::filesystem::path& data, const ca::ServerOptions& options,
                      const std::function<base::Status(ca::Server&)>& serving);

}  // namespace app
