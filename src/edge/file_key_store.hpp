// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <memory>

#include "edge/key_store.hpp"

namespace edge {

/// Keys as files (edge-runtime.md 1.6): a given id at its own path and nowhere else, any other as
/// `<home>/keys/<S>-<H>.key`. Symmetric keys are raw bytes, key pairs PKCS#8 PEM. Written atomically, 0600; a
/// file that others may read is refused. A damaged file of ours (empty, no key) is put aside when the key is
/// created again, and told at every other use; a given one is never touched.
class FileKeyStore final : public KeyStore {
  public:
    /// Makes `<home>/keys` where it is missing, and removes there what an interrupted write left.
    static base::Result<std::unique_ptr<FileKeyStore>> open(
        std::filesystem::path home, std::map<std::string, std::filesystem::path> given);

    base::Result<SymmetricKeyPtr> symmetric(std::string_view id) const override;
    base::Result<pki::PrivateKey> pair(std::string_view id) const override;
    base::Status create_symmetric(std::string_view id) override;
    base::Status import_symmetric(std::string_view id, const base::SecretBytes& bytes) override;
    base::Status create_pair(std::string_view id, pki::KeyType type) override;
    base::Status move_pair(std::string_view from, std::string_view to) override;
    base::Status remove(std::string_view id) override;

  private:
    FileKeyStore(std::filesystem::path home, std::map<std::string, std::filesystem::path> given)
        : home_(std::move(home)), given_(std::move(given)) {}
    std::filesystem::path path(std::string_view id) const;
    /// Fail with `malformed` for a damaged file.
    base::Result<SymmetricKeyPtr> read_symmetric(std::string_view id) const;
    base::Result<pki::PrivateKey> read_pair(std::string_view id) const;
    bool is_given(std::string_view id) const { return given_.contains(std::string(id)); }
    /// True where there is a whole key of this kind, false where a new one is to be made.
    template <class Key>
    base::Result<bool> is_whole(std::string_view id, const base::Result<Key>& found) const;

    /// A parsed pair and the file that it was read from: parsing costs more than signing.
    struct Parsed {
        struct stat file;
        pki::PrivateKey key;
    };
    std::filesystem::path home_;
    std::map<std::string, std::filesystem::path> given_;
    mutable std::map<std::string, Parsed> parsed_;
};

}  // namespace edge
