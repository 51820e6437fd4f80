// SPDX-License-Identifier: Apache-2.0
#include "pki/callback_key.hpp"

// The documented way to a foreign key in OpenSSL 3.0 is a provider of some thousand lines; the method tables
// of EC_KEY and RSA do the same in this one file and live on until OpenSSL 4. They are deprecated, not gone.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <memory>
#include <utility>

#include "pki/openssl.hpp"

namespace pki {
namespace {

using EcKeyPtr = std::unique_ptr<EC_KEY, FreeWith<EC_KEY_free>>;
using RsaPtr = std::unique_ptr<RSA, FreeWith<RSA_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;
using BytesPtr = std::unique_ptr<unsigned char, FreeOpenSsl>;

void free_callback(void*, void* callback, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<KeyCallback*>(callback);
}

int ec_slot() {
    static const int slot = EC_KEY_get_ex_new_index(0, nullptr, nullptr, nullptr, free_callback);
    return slot;
}

int rsa_slot() {
    static const int slot = RSA_get_ex_new_index(0, nullptr, nullptr, nullptr, free_callback);
    return slot;
}

base::Result<base::Bytes> call(void* callback, KeyOperation operation, const unsigned char* input,
                               std::size_t size) {
    return (*static_cast<KeyCallback*>(callback))(operation, std::as_bytes(std::span(input, size)));
}

// Both entry points are needed: EVP asks for bytes, ECDSA_do_sign for the structure.
ECDSA_SIG* ec_sign_structure(const unsigned char* digest, int size, const BIGNUM*, const BIGNUM*,
                             EC_KEY* key) {
    const auto made =
        call(EC_KEY_get_ex_data(key, ec_slot()), KeyOperation::ecdsa, digest, static_cast<std::size_t>(size));
    if (!made) return nullptr;
    const auto* at = reinterpret_cast<const unsigned char*>(made->data());
    return d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(made->size()));
}

int ec_sign(int, const unsigned char* digest, int size, unsigned char* out, unsigned int* out_size,
            const BIGNUM*, const BIGNUM*, EC_KEY* key) {
    const EcdsaSigPtr signature(ec_sign_structure(digest, size, nullptr, nullptr, key));
    if (!signature) return 0;
    const int most = ECDSA_size(key);
    if (i2d_ECDSA_SIG(signature.get(), nullptr) > most) return 0;
    unsigned char* at = out;
    const int written = i2d_ECDSA_SIG(signature.get(), &at);
    if (written <= 0) return 0;
    *out_size = static_cast<unsigned int>(written);
    return 1;
}

const EC_KEY_METHOD* ec_method() {
    static const EC_KEY_METHOD* const method = [] {
        auto* made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
        EC_KEY_METHOD_set_sign(made, ec_sign, nullptr, ec_sign_structure);
        return made;
    }();
    return method;
}

int rsa_private(int size, const unsigned char* input, unsigned char* out, RSA* key, int padding) {
    if (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING) return -1;
    const auto operation = padding == RSA_PKCS1_PADDING ? KeyOperation::rsa_pkcs1 : KeyOperation::rsa_raw;
    const auto made =
        call(RSA_get_ex_data(key, rsa_slot()), operation, input, static_cast<std::size_t>(size));
    if (!made || made->size() != static_cast<std::size_t>(RSA_size(key))) return -1;
    std::copy(made->begin(), made->end(), reinterpret_cast<std::byte*>(out));
    return static_cast<int>(made->size());
}

const RSA_METHOD* rsa_method() {
    static const RSA_METHOD* const method = [] {
        auto* made = RSA_meth_dup(RSA_PKCS1_OpenSSL());
        RSA_meth_set1_name(made, "key held by another process");
        RSA_meth_set_priv_enc(made, rsa_private);
        // Without this flag OpenSSL would look for the private exponent.
        RSA_meth_set_flags(made, RSA_FLAG_EXT_PKEY);
        return made;
    }();
    return method;
}

std::unexpected<base::Error> unusable() {
    return openssl_error(base::Code::internal, "key held by another process", "could not be represented");
}

}  // namespace

base::Result<PrivateKey> callback_key(const PublicKey& known, KeyCallback callback) {
    const auto spki = known.der();
    const auto* at = reinterpret_cast<const unsigned char*>(spki.data());
    auto held = std::make_unique<KeyCallback>(std::move(callback));
    EvpKeyPtr key(EVP_PKEY_new());
    if (!key) return unusable();
    if (EVP_PKEY_is_a(known.handle(), "EC")) {
        EcKeyPtr ec(d2i_EC_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
        if (!ec || EC_KEY_set_method(ec.get(), ec_method()) != 1 ||
            EC_KEY_set_ex_data(ec.get(), ec_slot(), held.get()) != 1)
            return unusable();
        held.release();  // freed with the EC_KEY
        if (EVP_PKEY_assign_EC_KEY(key.get(), ec.get()) != 1) return unusable();
        ec.release();
    } else if (EVP_PKEY_is_a(known.handle(), "RSA")) {
        RsaPtr rsa(d2i_RSA_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
        if (!rsa || RSA_set_method(rsa.get(), rsa_method()) != 1 ||
            RSA_set_ex_data(rsa.get(), rsa_slot(), held.get()) != 1)
            return unusable();
        held.release();
        if (EVP_PKEY_assign_RSA(key.get(), rsa.get()) != 1) return unusable();
        rsa.release();
    } else {
        return base::fail(base::Code::unsupported, "key held by another process", "is neither EC nor RSA");
    }
    return PrivateKey::adopt(key.release());
}

bool is_signed_by(const Certificate& certificate, const PublicKey& key) {
    const bool good = X509_verify(certificate.handle(), key.handle()) == 1;
    clear_openssl_errors();
    return good;
}

}  // namespace pki
