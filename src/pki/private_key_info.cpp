// SPDX-License-Identifier: Apache-2.0
#include "pki/private_key_info.hpp"

#include "pki/openssl.hpp"

namespace pki {

base::Result<base::SecretBytes> private_key_info(const PrivateKey& key) {
    // A secure-memory BIO wipes what it held when it is freed.
    const BioPtr out(BIO_new(BIO_s_secmem()));
    if (!out ||
        i2d_PKCS8PrivateKey_bio(out.get(), key.handle(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        clear_openssl_errors();
        return base::fail(base::Code::unsupported, "private key",
                          "cannot be written out: its store keeps it");
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return base::SecretBytes(std::string_view(data, static_cast<std::size_t>(size)));
}

}  // namespace pki
