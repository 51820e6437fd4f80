// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace app {

/// What clients of a CA for development are given.
struct DevCa {
    std::filesystem::path root;  ///< the certificate to trust, absolute
    std::string user, password;
    std::filesystem::path bootstrap_certificate, bootstrap_key;
};

/// Makes what is missing under `data`: root and intermediate, the books, a user, a bootstrap certificate for
/// another 30 days at least, and a ca.toml by which both may enrol any name at the labels device, edge-ca and
/// server. Refuses the directory of a CA that is not for development, and one that another process works on.
base::Result<DevCa> make_dev_ca(const std::filesystem::path& data, const base::Clock& clock);

}  // namespace app
