// SPDX-License-Identifier: Apache-2.0
#include "pki/public_key_info.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include <cstddef>
#include <memory>
#include <string_view>

#include "pki/openssl.hpp"

namespace pki {

bool set_p256_key(X509_PUBKEY* into, EVP_PKEY* key) {
    char group[32];
    unsigned char point[65];
    std::size_t size = 0;
    const bool plain =
        EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
        std::string_view(group) == SN_X9_62_prime256v1 &&
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) == 1 &&
        size == sizeof point && point[0] == POINT_CONVERSION_UNCOMPRESSED;
    if (!plain) {
        clear_openssl_errors();
        return false;
    }
    std::unique_ptr<unsigned char, FreeOpenSsl> copy(
        static_cast<unsigned char*>(OPENSSL_memdup(point, size)));
    const bool set = copy && X509_PUBKEY_set0_param(into, OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
                                                    V_ASN1_OBJECT, OBJ_nid2obj(NID_X9_62_prime256v1),
                                                    copy.get(), static_cast<int>(size)) == 1;
    if (set)
        static_cast<void>(copy.release());  // the key's own now
    else
        clear_openssl_errors();
    return set;
}

}  // namespace pki
