// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

namespace pki {

/// Whether `signature` over this SHA-256 digest was made with the key: the other side of
/// PrivateKey::sign_digest (a DER ECDSA-Sig-Value for EC).
bool verify_digest(const PublicKey& key, std::span<const std::byte> digest,
                   std::span<const std::byte> signature);

/// A SubjectPublicKeyInfo in DER, as PublicKey::der gives it; bytes behind it are an error. thing: whose, for
/// errors.
base::Result<PublicKey> read_public_key(std::span<const std::byte> der, std::string thing);

}  // namespace pki
