// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pki/profile.hpp"

/// Certificates for tests, made by the code that makes the real ones. Failures throw: a test that cannot make
/// its fixtures has nothing to say.
namespace support {

struct Identity {
    pki::Certificate certificate;
    pki::PrivateKey key;
};

/// 2026-11-25T10:00:00Z: the moment at which tests live unless they say otherwise.
base::Instant test_time();

struct IdentityWish {
    pki::Profile profile = pki::Profile::device;
    std::string common_name = "TempSensor";
    std::vector<std::string> names{};
    std::optional<std::chrono::seconds> lifetime{};
    bool client_auth = false;
    std::optional<int> path_length{};
    pki::KeyType key_type = pki::KeyType::ec_p256;
    base::Instant now = test_time();
};

/// issuer null: self-signed.
Identity make_identity(const IdentityWish& wish, const Identity* issuer = nullptr);

/// my_private_root_CA, my_optional_intermediate_CA below it.
struct TestPki {
    Identity root = make_identity({.profile = pki::Profile::root, .common_name = "my_private_root_CA"});
    Identity intermediate = make_identity(
        {.profile = pki::Profile::intermediate, .common_name = "my_optional_intermediate_CA"}, &root);
};

}  // namespace support
