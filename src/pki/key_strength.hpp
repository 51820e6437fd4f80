// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pki/certificate.hpp"

namespace pki {

/// What a key or a signature algorithm is, and whether it holds OpenSSL's security level 2 (112 bits).
struct Strength {
    bool enough = false;
    std::string description;  ///< "RSA 1024", "ecdsa-with-SHA256"
};

/// The certified key: RSA of 2048 bits or more, EC of 224 bits or more on a named curve, Ed25519, Ed448. DSA
/// and EC with explicit parameters (CVE-2020-0601) are refused whatever their size.
Strength key_strength(const Certificate& certificate);

/// The algorithm that the certificate was signed with; MD5 and SHA-1 fall short.
Strength signature_strength(const Certificate& certificate);

}  // namespace pki
