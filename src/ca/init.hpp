// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

namespace ca {

struct InitInput {
    std::filesystem::path data;
    std::string root = "my_private_root_CA";
    std::vector<std::string> chain = {"my_optional_intermediate_CA"};  ///< from below the root downwards
    pki::KeyType key_type = pki::KeyType::ec_p256;
};

/// Makes the root, the intermediates and ca.toml under `data`. What exists already is an error
/// (already_exists) that names it; after a failure nothing of this call is left. Takes the directory's lock.
base::Status init(const InitInput& input, base::Instant now);

}  // namespace ca
