// SPDX-License-Identifier: Apache-2.0
#include "pki/signature.hpp"

#include "pki/openssl.hpp"

namespace pki {

bool verify_digest(const PublicKey& key, std::span<const std::byte> digest,
                   std::span<const std::byte> signature) {
    const EvpKeyCtxPtr ctx(EVP_PKEY_CTX_new(key.handle(), nullptr));
    const bool good =
        ctx && EVP_PKEY_verify_init(ctx.get()) == 1 &&
        EVP_PKEY_verify(ctx.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                        reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) == 1;
    if (!good) clear_openssl_errors();
    return good;
}

base::Result<PublicKey> read_public_key(std::span<const std::byte> der, std::string thing) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* end = at + der.size();
    const EvpKeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (!key || at != end) {
        clear_openssl_errors();
        return base::fail(base::Code::malformed, std::move(thing),
                          "is not a public key (SubjectPublicKeyInfo)");
    }
    return PublicKey::share(key.get());
}

}  // namespace pki
