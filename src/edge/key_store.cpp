// SPDX-License-Identifier: Apache-2.0
#include "edge/key_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/local_api.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

std::unexpected<base::Error> absent() {
    return base::fail(base::Code::not_found, "parameter \"id\" has an invalid value", "not found");
}

}  // namespace

base::Result<KeyStore> KeyStore::open(std::filesystem::path home, std::map<std::string, Uri> preloaded) {
    if (auto made = base::make_private_directories(home / "keys"); !made)
        return std::unexpected(made.error());
    return KeyStore(std::move(home), std::move(preloaded));
}

base::Result<std::filesystem::path> KeyStore::path(std::string_view id) const {
    const auto found = preloaded_.find(std::string(id));
    if (found == preloaded_.end()) return home_ / "keys" / (file_stem(id) + ".key");
    auto file = file_of_uri(found->second);
    if (!file)
        return bad_parameter("id",
                             fmt::format("key {} lies at {}: {}", id, found->second, file.error().reason));
    return file;
}

base::Result<base::SecretBytes> KeyStore::symmetric(std::string_view id) const {
    SP_TRY(return, const auto file, path(id));
    auto bytes = base::read_secret_file(file, "key");
    if (!bytes && bytes.error().code == base::Code::not_found) return absent();
    if (bytes && bytes->empty())
        return base::fail(base::Code::io, "key " + file.string(), "is empty",
                          "remove it and let it be made again");
    return bytes;
}

base::Result<pki::PrivateKey> KeyStore::pair(std::string_view id) const {
    SP_TRY(return, const auto file, path(id));
    auto pem = base::read_secret_file(file, "key");
    if (!pem && pem.error().code == base::Code::not_found) return absent();
    if (!pem) return std::unexpected(std::move(pem).error());
    auto key = pki::PrivateKey::from_pem(*pem, fmt::format("key {}", file.string()));
    // What lies in our store is no mistake of the request's.
    if (!key && key.error().code == base::Code::malformed) {
        auto error = std::move(key).error();
        error.code = base::Code::io;
        return std::unexpected(std::move(error));
    }
    return key;
}

base::Status KeyStore::import_symmetric(std::string_view id, const base::SecretBytes& bytes) {
    SP_TRY(return, const auto file, path(id));
    return base::write_atomically(file, bytes.bytes(), base::secret_mode);
}

base::Status KeyStore::create_symmetric(std::string_view id) {
    SP_TRY(return, const auto file, path(id));
    if (::access(file.c_str(), F_OK) == 0) return {};
    return import_symmetric(id, pki::random_secret(32));
}

base::Status KeyStore::create_pair(std::string_view id, pki::KeyType type) {
    SP_TRY(return, const auto file, path(id));
    if (::access(file.c_str(), F_OK) == 0) return {};
    SP_TRY(return, const auto key, pki::PrivateKey::generate(type));
    SP_TRY(return, const auto pem, key.pem());
    return base::write_atomically(file, pem.bytes(), base::secret_mode);
}

base::Status KeyStore::move_pair(std::string_view from, std::string_view to) {
    if (from == to) return bad_parameter("from", "source and destination for move are identical");
    SP_TRY(return, const auto key, pair(from));
    SP_TRY(return, const auto source, path(from));
    SP_TRY(return, const auto target, path(to));
    if (std::rename(source.c_str(), target.c_str()) != 0) {
        if (errno != EXDEV) return base::fail_errno(errno, "key " + source.string(), "moved");
        // A preloaded key may lie on another file system.
        SP_TRY(return, const auto pem, key.pem());
        if (auto written = base::write_atomically(target, pem.bytes(), base::secret_mode); !written)
            return written;
        return remove(from);
    }
    return base::sync_directory(target.parent_path());
}

base::Status KeyStore::remove(std::string_view id) {
    SP_TRY(return, const auto file, path(id));
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
        return base::fail_errno(errno, "key " + file.string(), "removed");
    return {};
}

base::Result<pki::KeyType> preferred_algorithm(std::optional<std::string> preferred) {
    if (!preferred) return pki::KeyType::ec_p256;
    for (const auto word : base::split(*preferred, ':')) {
        if (word == "ec-p256" || word == "*") return pki::KeyType::ec_p256;
        if (word == "rsa-2048") return pki::KeyType::rsa_2048;
        if (word == "rsa-4096") return pki::KeyType::rsa_4096;
    }
    return bad_parameter("preferredAlgorithms", "names no known algorithm");
}

}  // namespace edge
