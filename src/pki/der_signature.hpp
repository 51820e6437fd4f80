// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"

/// Signatures over DER that is not a certificate (CRL, OCSP). For `pki` only.
namespace pki {

/// The AlgorithmIdentifier of what `sign_der` makes with this key: SHA-256 with RSA or ECDSA, or Ed25519, as
/// certificates are signed. unsupported for any other key.
base::Result<base::Bytes> signature_algorithm(const PrivateKey& key);
base::Result<base::Bytes> sign_der(std::span<const std::byte> signed_part, const PrivateKey& key);

/// Whether an AlgorithmIdentifier is one of SHA-224 or better (OpenSSL's security level 2).
bool is_strong_signature(std::span<const std::byte> algorithm);
/// signature: the octets of the BIT STRING without the count of unused bits.
bool verifies(std::span<const std::byte> signed_part, std::span<const std::byte> algorithm,
              std::span<const std::byte> signature, const Certificate& by);

}  // namespace pki
