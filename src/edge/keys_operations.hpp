// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "edge/json.hpp"
#include "edge/key_handle.hpp"
#include "edge/key_store.hpp"

namespace edge {

/// The cryptographic calls of the keys service (edge-runtime.md 1.5). `body` is the request with algorithm
/// and parameters. Each answers with the octets, or fails with a bad parameter ("mechanism" where the key's
/// kind does not fit the algorithm).
base::Result<base::Bytes> sign_with(const KeyStore& store, const KeyReference& key, const json::value& body);
base::Result<base::Bytes> encrypt_with(const KeyStore& store, const KeyReference& key,
                                       const json::value& body);
base::Result<base::SecretBytes> decrypt_with(const KeyStore& store, const KeyReference& key,
                                             const json::value& body);

/// The octets of a derived key: HMAC-SHA256(base, data). Bad parameter "keyHandle" for another kind of key.
base::Result<base::SecretBytes> derived_bytes(const KeyStore& store, const KeyReference& key);

/// `algorithm`, `ec-curve-oid`, `ec-point`, `rsa-modulus`, `rsa-exponent` (edge-runtime.md 1.2).
base::Result<std::string> key_parameter(const KeyStore& store, const KeyReference& key,
                                        std::string_view name);

}  // namespace edge
