// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

namespace pki {

/// What a key that lives elsewhere is asked to do; the forms of the keys service (edge-runtime.md 1.5).
enum class KeyOperation {
    ecdsa,      ///< input: a digest; result: a DER ECDSA-Sig-Value
    rsa_pkcs1,  ///< input: a DigestInfo; private-key operation with type 1 padding
    rsa_raw     ///< input: a padded block of the modulus' size
};

/// Called where OpenSSL wants a signature, on that thread, which waits for it. An error fails the signature.
using KeyCallback =
    std::function<base::Result<base::Bytes>(KeyOperation operation, std::span<const std::byte> input)>;

/// A private key whose private half this process does not have: `callback` signs. Works wherever a PrivateKey
/// does (certificates, requests, TLS); it cannot be written out. `known`: EC or RSA, else `unsupported`.
base::Result<PrivateKey> callback_key(const PublicKey& known, KeyCallback callback);

/// True where the certificate's signature was made by `key`: whoever signed elsewhere looks before it is
/// used.
bool is_signed_by(const Certificate& certificate, const PublicKey& key);

}  // namespace pki
