// SPDX-License-Identifier: Apache-2.0
#include "edge/installed_pair.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"

namespace edge {
namespace {

std::filesystem::path beside(const std::filesystem::path& file) {
    return file.string() + ".next";
}

base::Status put_in_place(const std::filesystem::path& file) {
    if (::rename(beside(file).c_str(), file.c_str()) != 0 && errno != ENOENT)
        return base::fail_errno(errno, "file " + file.string(), "put in place");
    return base::sync_directory(file.parent_path());
}

}  // namespace

base::Status write_pair(const std::filesystem::path& certificate, std::string_view chain,
                        const std::filesystem::path& key, std::string_view key_pem) {
    // The key first: a certificate that lies beside says that both do.
    auto done = base::write_atomically(beside(key), key_pem, base::secret_mode);
    if (done) done = base::write_atomically(beside(certificate), chain, base::public_mode);
    if (!done) {
        ::unlink(beside(key).c_str());
        return done;
    }
    return finish_pair(certificate, key);
}

base::Status finish_pair(const std::filesystem::path& certificate, const std::filesystem::path& key) {
    std::error_code ignored;
    if (!std::filesystem::exists(beside(certificate), ignored)) {
        std::filesystem::remove(beside(key), ignored);
        return {};
    }
    if (auto put = put_in_place(key); !put) return put;
    return put_in_place(certificate);
}

}  // namespace edge
