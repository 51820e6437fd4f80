// SPDX-License-Identifier: Apache-2.0
#include "pki/der_signature.hpp"

#include <array>

#include "pki/openssl.hpp"

namespace pki {
namespace {

using AlgorithmPtr = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;
using Asn1TypePtr = std::unique_ptr<ASN1_TYPE, FreeWith<ASN1_TYPE_free>>;

constexpr int least_digest = 28;  // SHA-224

template <std::size_t N>
base::Bytes constant(const std::array<unsigned char, N>& octets) {
    const auto bytes = std::as_bytes(std::span(octets));
    return {bytes.begin(), bytes.end()};
}

AlgorithmPtr parse_algorithm(std::span<const std::byte> der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    return AlgorithmPtr(d2i_X509_ALGOR(nullptr, &at, static_cast<long>(der.size())));
}

bool is_strong_digest(int nid) {
    const EVP_MD* digest = EVP_get_digestbynid(nid);
    return digest && EVP_MD_get_size(digest) >= least_digest;
}

// The digest of RSASSA-PSS stands in its parameters; where it is left out it is SHA-1 (RFC 4055 3.1).
bool is_strong_pss(const X509_ALGOR* algorithm) {
    int type = 0;
    const void* value = nullptr;
    X509_ALGOR_get0(nullptr, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE) return false;
    const RsaPssParamsPtr parameters(static_cast<RSA_PSS_PARAMS*>(
        ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(RSA_PSS_PARAMS))));
    if (!parameters || !parameters->hashAlgorithm) return false;
    const ASN1_OBJECT* digest = nullptr;
    X509_ALGOR_get0(&digest, nullptr, nullptr, parameters->hashAlgorithm);
    return is_strong_digest(OBJ_obj2nid(digest));
}

}  // namespace

base::Result<base::Bytes> signature_algorithm(const PrivateKey& key) {
    constexpr std::array<unsigned char, 12> ecdsa_sha256{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                         0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    constexpr std::array<unsigned char, 15> rsa_sha256{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                       0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
    constexpr std::array<unsigned char, 7> ed25519{0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
    if (EVP_PKEY_is_a(key.handle(), "EC")) return constant(ecdsa_sha256);
    if (EVP_PKEY_is_a(key.handle(), "RSA")) return constant(rsa_sha256);
    if (EVP_PKEY_is_a(key.handle(), "ED25519")) return constant(ed25519);
    return base::fail(base::Code::unsupported, "key of the CA", "is neither EC, RSA nor Ed25519");
}

base::Result<base::Bytes> sign_der(std::span<const std::byte> signed_part, const PrivateKey& key) {
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    const bool own_digest = EVP_PKEY_is_a(key.handle(), "ED25519");
    const auto* data = reinterpret_cast<const unsigned char*>(signed_part.data());
    std::size_t size = 0;
    if (context &&
        EVP_DigestSignInit(context.get(), nullptr, own_digest ? nullptr : EVP_sha256(), nullptr,
                           key.handle()) == 1 &&
        EVP_DigestSign(context.get(), nullptr, &size, data, signed_part.size()) == 1) {
        base::Bytes signature(size);
        if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                           signed_part.size()) == 1) {
            signature.resize(size);
            return signature;
        }
    }
    return openssl_error(base::Code::internal, "signature", "could not be made");
}

bool is_strong_signature(std::span<const std::byte> der) {
    const auto algorithm = parse_algorithm(der);
    int digest = NID_undef;
    int key = NID_undef;
    bool strong = false;
    if (algorithm) {
        const ASN1_OBJECT* object = nullptr;
        X509_ALGOR_get0(&object, nullptr, nullptr, algorithm.get());
        const int nid = OBJ_obj2nid(object);
        if (nid == NID_ED25519 || nid == NID_ED448)
            strong = true;
        else if (nid == NID_rsassaPss)
            strong = is_strong_pss(algorithm.get());
        else
            strong = OBJ_find_sigid_algs(nid, &digest, &key) == 1 && is_strong_digest(digest);
    }
    clear_openssl_errors();
    return strong;
}

bool verifies(std::span<const std::byte> signed_part, std::span<const std::byte> algorithm,
              std::span<const std::byte> signature, const Certificate& by) {
    const auto parsed = parse_algorithm(algorithm);
    EVP_PKEY* key = X509_get0_pubkey(by.handle());
    const auto* at = reinterpret_cast<const unsigned char*>(signed_part.data());
    // As "any type": its encoding is the very octets that were signed.
    const Asn1TypePtr value(d2i_ASN1_TYPE(nullptr, &at, static_cast<long>(signed_part.size())));
    const Asn1BitStringPtr bits(ASN1_BIT_STRING_new());
    const bool made = parsed && key && value && bits &&
                      ASN1_STRING_set(bits.get(), signature.data(), static_cast<int>(signature.size())) == 1;
    const bool good =
        made && ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), parsed.get(), bits.get(), value.get(), key) == 1;
    clear_openssl_errors();
    return good;
}

}  // namespace pki
