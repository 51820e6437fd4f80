// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/x509.h>

/// For pki/*.cpp only.
namespace pki {

/// Puts a P-256 key into a request or certificate that is being made, from its numbers. OpenSSL 3.0's own way
/// (X509_set_pubkey) encodes and decodes it by its providers, which costs four times as much as making the
/// key and signing. What was made can be written out; to ask it for its key it must be read again. False for
/// any other key.
bool set_p256_key(X509_PUBKEY* into, EVP_PKEY* key);

}  // namespace pki
