// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "hub/config.hpp"

namespace app {

/// What a hub for development is to be called and where it is to listen.
struct DevWish {
    std::filesystem::path data;
    std::vector<std::string> hostnames;  ///< checked names or addresses; the first is the hub's name
    hub::Listen listen;
};

struct DevHub {
    hub::Config config;
    std::filesystem::path ca_file;  ///< the root that clients have to trust, absolute
};

/// Makes what is missing under `wish.data`: a CA, a server certificate that covers every name for another 30
/// days at least, registry, policies and hub.toml. What is there and still fits is kept. Refuses a directory
/// that `hub init` made, and one that another process works on.
base::Result<DevHub> make_dev_hub(const DevWish& wish, base::Instant now);

}  // namespace app
