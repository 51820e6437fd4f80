// SPDX-License-Identifier: Apache-2.0
#include "edge/key_stores.hpp"

#include <fmt/format.h>

#include "base/result.hpp"
#include "edge/file_key_store.hpp"
#include "edge/local_api.hpp"
#include "edge/paths.hpp"

namespace edge {
namespace {

// Never the URI itself: a PKCS#11 one may hold the token's PIN.
std::string reason_for(std::string_view id, std::string_view uri) {
    const auto remedy = fmt::format("give [preloaded_keys] {} a file:///absolute/path", id);
    for (const auto& [scheme, place] :
         {std::pair<std::string_view, std::string_view>{"pkcs11:", "a PKCS#11 token"}, {"tpm2:", "a TPM"}})
        if (uri.starts_with(scheme))
            return fmt::format("key {} lies in {}, which this version cannot open: {}", id, place, remedy);
    return fmt::format("key {} has a URI that names no store: {}", id, remedy);
}

}  // namespace

base::Result<std::unique_ptr<KeyStores>> KeyStores::open(std::filesystem::path home,
                                                         const std::map<std::string, Uri>& preloaded) {
    std::map<std::string, std::filesystem::path> given;
    auto stores = std::make_unique<KeyStores>();
    for (const auto& [id, uri] : preloaded) {
        if (auto file = file_of_uri(uri))
            given[id] = *std::move(file);
        else
            stores->elsewhere_[id] = reason_for(id, uri);
    }
    SP_TRY(return, stores->files_, FileKeyStore::open(std::move(home), std::move(given)));
    return stores;
}

base::Result<KeyStore*> KeyStores::store_of(std::string_view id) const {
    if (const auto found = elsewhere_.find(std::string(id)); found != elsewhere_.end())
        return bad_parameter("id", found->second);
    return files_.get();
}

base::Result<SymmetricKeyPtr> KeyStores::symmetric(std::string_view id) const {
    SP_TRY(return, const auto* store, store_of(id));
    return store->symmetric(id);
}

base::Result<pki::PrivateKey> KeyStores::pair(std::string_view id) const {
    SP_TRY(return, const auto* store, store_of(id));
    return store->pair(id);
}

base::Status KeyStores::create_symmetric(std::string_view id) {
    SP_TRY(return, auto* store, store_of(id));
    return store->create_symmetric(id);
}

base::Status KeyStores::import_symmetric(std::string_view id, const base::SecretBytes& bytes) {
    SP_TRY(return, auto* store, store_of(id));
    return store->import_symmetric(id, bytes);
}

base::Status KeyStores::create_pair(std::string_view id, pki::KeyType type) {
    SP_TRY(return, auto* store, store_of(id));
    return store->create_pair(id, type);
}

base::Status KeyStores::move_pair(std::string_view from, std::string_view to) {
    SP_TRY(return, auto* source, store_of(from));
    SP_TRY(return, const auto* target, store_of(to));
    if (source != target) return bad_parameter("from", "lies in another kind of store");
    return source->move_pair(from, to);
}

base::Status KeyStores::remove(std::string_view id) {
    SP_TRY(return, auto* store, store_of(id));
    return store->remove(id);
}

}  // namespace edge
