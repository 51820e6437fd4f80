// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "edge/config.hpp"
#include "edge/key_store.hpp"

namespace edge {

/// All stores of the keys service behind one: which one holds an id is decided by the scheme of its preloaded
/// URI, and files hold every other. `pkcs11:` and `tpm2:` have their place here and no store yet: each use of
/// such an id is refused with the reason.
class KeyStores final : public KeyStore {
  public:
    static base::Result<std::unique_ptr<KeyStores>> open(std::filesystem::path home,
                                                         const std::map<std::string, Uri>& preloaded);

    base::Result<SymmetricKeyPtr> symmetric(std::string_view id) const override;
    base::Result<pki::PrivateKey> pair(std::string_view id) const override;
    base::Status create_symmetric(std::string_view id) override;
    base::Status import_symmetric(std::string_view id, const base::SecretBytes& bytes) override;
    base::Status create_pair(std::string_view id, pki::KeyType type) override;
    base::Status move_pair(std::string_view from, std::string_view to) override;
    base::Status remove(std::string_view id) override;

  private:
    base::Result<KeyStore*> store_of(std::string_view id) const;

    std::unique_ptr<KeyStore> files_;
    std::map<std::string, std::string> elsewhere_;  ///< id to the reason why no store has it
};

}  // namespace edge
