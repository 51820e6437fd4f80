// SPDX-License-Identifier: Apache-2.0
#include "ca/password.hpp"

#include <argon2.h>

#include <array>

#include "pki/digest.hpp"

namespace ca {
namespace {

constexpr std::uint32_t passes = 2;
constexpr std::uint32_t memory_kib = 19 * 1024;
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_size = 16;
constexpr std::size_t hash_size = 32;

}  // namespace

base::Result<std::string> hash_password(std::string_view password) {
    if (password.empty()) return base::fail(base::Code::invalid_argument, "password", "is empty");
    const auto salt = pki::random_bytes(salt_size);
    std::array<char, 256> text{};
    const int done = argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(),
                                           salt.data(), salt.size(), hash_size, text.data(), text.size());
    if (done != ARGON2_OK)
        return base::fail(base::Code::internal, "password",
                          std::string("could not be hashed: ") + argon2_error_message(done));
    return std::string(text.data());
}

bool password_fits(const std::string& hash, std::string_view password) {
    return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace ca
