// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "edge/symmetric_key.hpp"
#include "pki/key.hpp"

namespace edge {

/// A place where keys lie: files (file_key_store.hpp), a PKCS#11 token or a TPM. Symmetric keys and key pairs
/// share one name space. What is asked of a private key is asked of its PrivateKey, which a token need not
/// give away. On its own loop; no call waits for a network.
class KeyStore {
  public:
    virtual ~KeyStore() = default;

    /// Each fails with not_found where there is no such key.
    virtual base::Result<SymmetricKeyPtr> symmetric(std::string_view id) const = 0;
    virtual base::Result<pki::PrivateKey> pair(std::string_view id) const = 0;

    /// Makes a key of 32 octets where there is none; a whole one that exists stays, whatever it is.
    virtual base::Status create_symmetric(std::string_view id) = 0;
    /// Replaces. Fails with a bad parameter "keyBytes" for no octets.
    virtual base::Status import_symmetric(std::string_view id, const base::SecretBytes& bytes) = 0;
    virtual base::Status create_pair(std::string_view id, pki::KeyType type) = 0;
    /// Replaces `to`.
    virtual base::Status move_pair(std::string_view from, std::string_view to) = 0;
    /// An absent key is a success.
    virtual base::Status remove(std::string_view id) = 0;
};

/// The first algorithm of `ec-p256:rsa-2048:*` that is known (edge-runtime.md 1.1); bad parameter where none
/// is.
base::Result<pki::KeyType> preferred_algorithm(std::optional<std::string> preferred);

}  // namespace edge
