// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "edge/config.hpp"
#include "pki/key.hpp"

namespace edge {

/// Keys as files (edge-runtime.md 1.6): a preloaded id at its URI and nowhere else, any other as
/// `<home>/keys/<S>-<H>.key`. Symmetric keys are raw bytes, key pairs PKCS#8 PEM; both share one name space.
/// Written atomically, 0600; a file that others may read is refused. On its own loop.
class KeyStore {
  public:
    /// Makes `<home>/keys` where it is missing.
    static base::Result<KeyStore> open(std::filesystem::path home, std::map<std::string, Uri> preloaded);

    /// Each fails with not_found where there is no such key.
    base::Result<base::SecretBytes> symmetric(std::string_view id) const;
    base::Result<pki::PrivateKey> pair(std::string_view id) const;

    /// Makes 32 random bytes where there is no such key; an existing one is not looked at.
    base::Status create_symmetric(std::string_view id);
    /// Replaces.
    base::Status import_symmetric(std::string_view id, const base::SecretBytes& bytes);
    base::Status create_pair(std::string_view id, pki::KeyType type);
    /// Replaces `to`.
    base::Status move_pair(std::string_view from, std::string_view to);
    /// An absent key is a success.
    base::Status remove(std::string_view id);

    base::Result<std::filesystem::path> path(std::string_view id) const;

  private:
    KeyStore(std::filesystem::path home, std::map<std::string, Uri> preloaded)
        : home_(std::move(home)), preloaded_(std::move(preloaded)) {}
    std::filesystem::path home_;
    std::map<std::string, Uri> preloaded_;
};

/// The first algorithm of `ec-p256:rsa-2048:*` that is known (edge-runtime.md 1.1); bad parameter where none
/// is.
base::Result<pki::KeyType> preferred_algorithm(std::optional<std::string> preferred);

}  // namespace edge
