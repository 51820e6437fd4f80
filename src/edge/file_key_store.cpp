// SPDX-License-Identifier: Apache-2.0
#include "edge/file_key_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/kept_files.hpp"
#include "edge/local_api.hpp"
#include "edge/paths.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

constexpr std::size_t most_parsed_keys = 64;

// The same file with the same content, mode and owner.
bool is_unchanged(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
           a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
           a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

constexpr auto damaged = base::Code::malformed;

// What lies damaged in our store is no mistake of the request's.
template <class Key>
base::Result<Key> as_answer(base::Result<Key> found) {
    if (!found && found.error().code == damaged)
        return base::fail(base::Code::io, found.error().thing, found.error().reason,
                          "put it back from a backup, or remove it and let the key be made again");
    return found;
}

}  // namespace

base::Result<std::unique_ptr<FileKeyStore>> FileKeyStore::open(
    std::filesystem::path home, std::map<std::string, std::filesystem::path> given) {
    const auto keys = home / "keys";
    if (auto made = base::make_private_directories(keys); !made) return std::unexpected(made.error());
    if (auto cleared = remove_leftovers(keys); !cleared) return std::unexpected(cleared.error());
    return std::unique_ptr<FileKeyStore>(new FileKeyStore(std::move(home), std::move(given)));
}

std::filesystem::path FileKeyStore::path(std::string_view id) const {
    const auto found = given_.find(std::string(id));
    return found == given_.end() ? home_ / "keys" / (file_stem(id) + ".key") : found->second;
}

base::Result<SymmetricKeyPtr> FileKeyStore::read_symmetric(std::string_view id) const {
    const auto file = path(id);
    auto bytes = base::read_secret_file(file, "key");
    if (!bytes && bytes.error().code == base::Code::not_found) return absent_id();
    if (!bytes) return std::unexpected(std::move(bytes).error());
    if (bytes->empty()) return base::fail(damaged, "key " + file.string(), "is empty");
    return key_in_memory(*std::move(bytes));
}

base::Result<pki::PrivateKey> FileKeyStore::read_pair(std::string_view id) const {
    const auto file = path(id);
    struct stat now{};
    if (::stat(file.c_str(), &now) == 0)
        if (const auto known = parsed_.find(file.string());
            known != parsed_.end() && is_unchanged(known->second.file, now))
            return known->second.key.share();
    auto pem = base::read_secret_file(file, "key");
    if (!pem && pem.error().code == base::Code::not_found) return absent_id();
    if (!pem) return std::unexpected(std::move(pem).error());
    if (pem->empty()) return base::fail(damaged, "key " + file.string(), "is empty");
    auto key = pki::PrivateKey::from_pem(*pem, fmt::format("key {}", file.string()));
    if (!key) return key;
    if (parsed_.size() >= most_parsed_keys) parsed_.clear();
    parsed_.insert_or_assign(file.string(), Parsed{now, key->share()});
    return key;
}

base::Result<SymmetricKeyPtr> FileKeyStore::symmetric(std::string_view id) const {
    return as_answer(read_symmetric(id));
}

base::Result<pki::PrivateKey> FileKeyStore::pair(std::string_view id) const {
    return as_answer(read_pair(id));
}

template <class Key>
base::Result<bool> FileKeyStore::is_whole(std::string_view id, const base::Result<Key>& found) const {
    if (found) return true;
    if (found.error().code == base::Code::not_found) return false;
    if (found.error().code != damaged || is_given(id)) return std::unexpected(found.error());
    if (auto moved = set_aside(path(id), found.error().reason); !moved) return std::unexpected(moved.error());
    return false;
}

base::Status FileKeyStore::import_symmetric(std::string_view id, const base::SecretBytes& bytes) {
    if (bytes.empty()) return bad_parameter("keyBytes", "is empty");
    return base::write_atomically(path(id), bytes.bytes(), base::secret_mode);
}

base::Status FileKeyStore::create_symmetric(std::string_view id) {
    SP_TRY(return, const bool whole, as_answer(is_whole(id, read_symmetric(id))));
    if (whole) return {};
    return import_symmetric(id, pki::random_secret(32));
}

base::Status FileKeyStore::create_pair(std::string_view id, pki::KeyType type) {
    SP_TRY(return, const bool whole, as_answer(is_whole(id, read_pair(id))));
    if (whole) return {};
    SP_TRY(return, const auto key, pki::PrivateKey::generate(type));
    SP_TRY(return, const auto pem, key.pem());
    return base::write_atomically(path(id), pem.bytes(), base::secret_mode);
}

base::Status FileKeyStore::move_pair(std::string_view from, std::string_view to) {
    if (from == to) return bad_parameter("from", "source and destination for move are identical");
    SP_TRY(return, const auto key, pair(from));
    const auto source = path(from);
    const auto target = path(to);
    if (std::rename(source.c_str(), target.c_str()) != 0) {
        if (errno != EXDEV) return base::fail_errno(errno, "key " + source.string(), "moved");
        // A given key may lie on another file system.
        SP_TRY(return, const auto pem, key.pem());
        if (auto written = base::write_atomically(target, pem.bytes(), base::secret_mode); !written)
            return written;
        return remove(from);
    }
    if (auto synced = base::sync_directory(target.parent_path()); !synced) return synced;
    if (source.parent_path() == target.parent_path()) return {};
    return base::sync_directory(source.parent_path());
}

base::Status FileKeyStore::remove(std::string_view id) {
    const auto file = path(id);
    parsed_.erase(file.string());
    return remove_durably(file, "key");
}

}  // namespace edge
