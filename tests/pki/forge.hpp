// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/openssl.hpp"

/// Certificates with whatever is wrong: `pki::issue` would refuse to make them.
namespace forge {

/// 2026-11-25T10:00:00Z.
base::Instant now();

struct Signed {
    pki::Certificate certificate;
    pki::PrivateKey key;
};

struct Wish {
    std::string common_name = "leaf";
    /// Name and value as in openssl.cnf: {"basicConstraints", "critical,CA:TRUE"}.
    std::vector<std::pair<std::string, std::string>> extensions{};
    std::chrono::hours from = std::chrono::hours(-24);  ///< from now()
    std::chrono::hours to = std::chrono::hours(24 * 30);
    const EVP_MD* digest = EVP_sha256();
    const pki::PrivateKey* key = nullptr;  ///< null: a new P-256 key
};

/// issuer null: self-signed. Throws where OpenSSL cannot make it.
Signed make(const Wish& wish, const Signed* issuer = nullptr);

/// basicConstraints, keyUsage, and `more`.
Wish ca(std::string common_name, std::vector<std::pair<std::string, std::string>> more = {});
/// keyUsage, the SAN where it is not empty, and `more`.
Wish leaf(std::string common_name, std::string san = {},
          std::vector<std::pair<std::string, std::string>> more = {});

}  // namespace forge
