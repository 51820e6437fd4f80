// SPDX-License-Identifier: Apache-2.0
#include "pki/key_strength.hpp"

#include <openssl/core_names.h>

#include "pki/openssl.hpp"

namespace pki {
namespace {

constexpr int level_2_bits = 112;

bool has_explicit_curve(const EVP_PKEY* key) {
    int is_explicit = 0;
    const bool told =
        EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) == 1;
    return told && is_explicit != 0;
}

}  // namespace

Strength key_strength(const Certificate& certificate) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate.handle());
    if (!key) {
        clear_openssl_errors();
        return {false, "a key that cannot be read"};
    }
    Strength strength{EVP_PKEY_get_security_bits(key) >= level_2_bits, certificate.key_description()};
    if (EVP_PKEY_is_a(key, "EC")) {
        if (has_explicit_curve(key)) return {false, "EC with explicit curve parameters"};
    } else if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "RSA-PSS") &&
               !EVP_PKEY_is_a(key, "ED25519") && !EVP_PKEY_is_a(key, "ED448")) {
        strength.enough = false;
    }
    return strength;
}

Strength signature_strength(const Certificate& certificate) {
    int bits = 0;
    const bool known = X509_get_signature_info(certificate.handle(), nullptr, nullptr, &bits, nullptr) == 1;
    clear_openssl_errors();
    const int nid = X509_get_signature_nid(certificate.handle());
    const char* name = nid == NID_undef ? nullptr : OBJ_nid2sn(nid);
    return {known && bits >= level_2_bits, name ? name : "an unknown algorithm"};
}

}  // namespace pki
