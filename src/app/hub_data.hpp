// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "hub/config.hpp"

namespace app {

/// Where a command finds a hub at the hub's own machine.
struct HubData {
    std::filesystem::path data;
    std::filesystem::path config;  ///< empty: DIR/hub.toml
};

/// The hub's configuration, for root and the owner of its registry alone: a policy's key opens the hub.
base::Result<hub::Config> open_hub_data(const HubData& where);

}  // namespace app
