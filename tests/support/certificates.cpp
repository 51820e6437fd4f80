// SPDX-License-Identifier: Apache-2.0
#include "support/certificates.hpp"

#include <stdexcept>

namespace support {
namespace {

template <class T>
T must(base::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return *std::move(result);
}

}  // namespace

base::Instant test_time() {
    return *base::parse_rfc3339("2026-11-25T10:00:00Z");
}

Identity make_identity(const IdentityWish& wish, const Identity* issuer) {
    auto key = must(pki::PrivateKey::generate(wish.key_type));
    const pki::IssueInput input{.profile = wish.profile,
                                .key = key.public_key(),
                                .common_name = wish.common_name,
                                .names = wish.names,
                                .lifetime = wish.lifetime,
                                .client_auth = wish.client_auth,
                                .path_length = wish.path_length};
    auto certificate = must(issuer ? pki::issue(input, &issuer->certificate, issuer->key, wish.now)
                                   : pki::issue(input, nullptr, key, wish.now));
    return {std::move(certificate), std::move(key)};
}

}  // namespace support
