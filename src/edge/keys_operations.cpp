// SPDX-License-Identifier: Apache-2.0
#include "edge/keys_operations.hpp"

#include <fmt/format.h>

#include "base/result.hpp"
#include "edge/local_api.hpp"
#include "pki/digest.hpp"
#include "pki/public_numbers.hpp"

namespace edge {
namespace {

// The order PKCS#11 uses; 0x01 marks secrets of IoT Edge 1.1, whose tag comes first.
constexpr std::byte tag_last{0x02};
constexpr std::byte tag_first{0x01};
constexpr std::size_t tag_size = 16;

std::unexpected<base::Error> unfit(std::string_view algorithm) {
    return bad_parameter("mechanism", fmt::format("{} does not fit this kind of key", algorithm));
}

// AES-256 needs 32 octets; an imported key of another length cannot be used.
base::Result<base::SecretBytes> cipher_key(const KeyStore& store, const KeyReference& key) {
    SP_TRY(return, auto bytes, key_bytes(store, key));
    if (bytes.size() != 32) return bad_parameter("mechanism", "AEAD needs a key of 32 octets");
    return bytes;
}

struct Nonces {
    base::Bytes iv;
    base::Bytes additional;
};

base::Result<Nonces> nonces_of(const json::value& body) {
    SP_TRY(return, const auto parameters, object_member(body, "parameters"));
    Nonces out;
    SP_TRY(return, out.iv, base64_member(parameters, "iv"));
    SP_TRY(return, out.additional, base64_member(parameters, "aad"));
    if (out.iv.empty()) return bad_parameter("iv", "is empty");
    return out;
}

}  // namespace

base::Result<base::SecretBytes> key_bytes(const KeyStore& store, const KeyReference& key) {
    if (key.kind == KeyReference::Kind::pair) return unfit("a symmetric operation");
    SP_TRY(return, auto stored, store.symmetric(key.id));
    if (key.kind == KeyReference::Kind::symmetric) return stored;
    auto derived = pki::hmac_sha256(stored.bytes(), key.data);
    base::SecretBytes out{std::span<const std::byte>(derived)};
    base::wipe(derived.data(), derived.size());
    return out;
}

base::Result<base::Bytes> sign_with(const KeyStore& store, const KeyReference& key, const json::value& body) {
    SP_TRY(return, const auto algorithm, text_member(body, "algorithm"));
    SP_TRY(return, const auto parameters, object_member(body, "parameters"));
    if (algorithm == "HMAC-SHA256") {
        if (key.kind == KeyReference::Kind::pair) return unfit(algorithm);
        SP_TRY(return, const auto message, base64_member(parameters, "message"));
        SP_TRY(return, const auto bytes, key_bytes(store, key));
        const auto mac = pki::hmac_sha256(bytes.bytes(), message);
        return base::Bytes(mac.begin(), mac.end());
    }
    if (algorithm == "ECDSA") {
        if (key.kind != KeyReference::Kind::pair) return unfit(algorithm);
        SP_TRY(return, const auto digest, base64_member(parameters, "digest"));
        SP_TRY(return, const auto pair, store.pair(key.id));
        if (!pair.description().starts_with("EC ")) return unfit(algorithm);
        return pair.sign_digest(digest);
    }
    return bad_parameter("algorithm", fmt::format("{} is not known", algorithm));
}

base::Result<base::Bytes> encrypt_with(const KeyStore& store, const KeyReference& key,
                                       const json::value& body) {
    SP_TRY(return, const auto algorithm, text_member(body, "algorithm"));
    SP_TRY(return, const auto plaintext, base64_member(body, "plaintext"));
    if (algorithm == "AEAD") {
        if (key.kind == KeyReference::Kind::pair) return unfit(algorithm);
        SP_TRY(return, const auto nonces, nonces_of(body));
        SP_TRY(return, const auto bytes, cipher_key(store, key));
        SP_TRY(return, const auto sealed,
                     pki::aead_seal(bytes.bytes(), nonces.iv, nonces.additional, plaintext));
        base::Bytes out{tag_last};
        out.insert(out.end(), sealed.begin(), sealed.end());
        return out;
    }
    if (algorithm == "RSA-PKCS1" || algorithm == "RSA-NO-PADDING") {
        if (key.kind != KeyReference::Kind::pair) return unfit(algorithm);
        SP_TRY(return, const auto pair, store.pair(key.id));
        if (!pair.description().starts_with("RSA ")) return unfit(algorithm);
        return pair.rsa_private(plaintext, algorithm == "RSA-PKCS1" ? pki::PrivateKey::RsaPadding::pkcs1
                                                                    : pki::PrivateKey::RsaPadding::none);
    }
    return bad_parameter("algorithm", fmt::format("{} is not known", algorithm));
}

base::Result<base::SecretBytes> decrypt_with(const KeyStore& store, const KeyReference& key,
                                             const json::value& body) {
    SP_TRY(return, const auto algorithm, text_member(body, "algorithm"));
    SP_TRY(return, auto ciphertext, base64_member(body, "ciphertext"));
    if (algorithm != "AEAD") return bad_parameter("algorithm", fmt::format("{} cannot decrypt", algorithm));
    if (key.kind == KeyReference::Kind::pair) return unfit(algorithm);
    SP_TRY(return, const auto nonces, nonces_of(body));
    if (ciphertext.size() < 1 + tag_size || (ciphertext[0] != tag_last && ciphertext[0] != tag_first))
        return bad_parameter("ciphertext", "is not one of this service");
    base::Bytes sealed(ciphertext.begin() + 1, ciphertext.end());
    if (ciphertext[0] == tag_first) std::rotate(sealed.begin(), sealed.begin() + tag_size, sealed.end());
    SP_TRY(return, const auto bytes, cipher_key(store, key));
    auto opened = pki::aead_open(bytes.bytes(), nonces.iv, nonces.additional, sealed);
    if (!opened) return bad_parameter("ciphertext", "does not fit key, iv and aad");
    return opened;
}

base::Result<std::string> key_parameter(const KeyStore& store, const KeyReference& key,
                                        std::string_view name) {
    const auto invalid = base::fail(base::Code::invalid_argument, "a parameter has an invalid value", "");
    if (key.kind != KeyReference::Kind::pair) return invalid;
    SP_TRY(return, const auto pair, store.pair(key.id));
    SP_TRY(return, const auto numbers, pki::public_numbers(pair.public_key()));
    const bool ec = numbers.algorithm == pki::KeyAlgorithm::ecdsa;
    if (name == "algorithm") return std::string(ec ? "ECDSA" : "RSA");
    if (ec && name == "ec-curve-oid") return base::to_base64(numbers.curve_oid);
    if (ec && name == "ec-point") return base::to_base64(numbers.point);
    if (!ec && name == "rsa-modulus") return base::to_base64(numbers.modulus);
    if (!ec && name == "rsa-exponent") return base::to_base64(numbers.exponent);
    return invalid;
}

}  // namespace edge
