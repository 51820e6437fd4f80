// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

namespace pki {

enum class KeyAlgorithm { ecdsa, rsa };

/// A public key as numbers, the way the keys service tells it (edge-runtime.md 1.2).
struct PublicNumbers {
    KeyAlgorithm algorithm;
    base::Bytes curve_oid;  ///< ECDSA: DER OBJECT IDENTIFIER
    base::Bytes point;      ///< ECDSA: compressed
    base::Bytes modulus;    ///< RSA: big-endian
    base::Bytes exponent;   ///< RSA: big-endian
};

/// `unsupported` for a key that is neither EC on a named curve nor RSA.
base::Result<PublicNumbers> public_numbers(const PublicKey& key);
/// `malformed` where the numbers are no key.
base::Result<PublicKey> public_key_from(const PublicNumbers& numbers);

}  // namespace pki
