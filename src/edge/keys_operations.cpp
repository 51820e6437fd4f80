// SPDX-License-Identifier: Apache-2.0
#include "edge/keys_operations.hpp"

#include <fmt/format.h>

#include "base/result.hpp"
#include "edge/local_api.hpp"
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

base::Result<SymmetricKeyPtr> symmetric_key(const KeyStore& store, const KeyReference& key,
                                            std::string_view algorithm) {
    if (key.kind == KeyReference::Kind::pair) return unfit(algorithm);
    if (key.kind == KeyReference::Kind::symmetric) return store.symmetric(key.id);
    SP_TRY(return, auto bytes, derived_bytes(store, key));
    return key_in_memory(std::move(bytes));
}

base::Result<pki::PrivateKey> key_pair(const KeyStore& store, const KeyReference& key,
                                       std::string_view algorithm, std::string_view kind) {
    if (key.kind != KeyReference::Kind::pair) return unfit(algorithm);
    SP_TRY(return, auto pair, store.pair(key.id));
    if (!pair.description().starts_with(kind)) return unfit(algorithm);
    return pair;
}

bool is_digest(std::size_t size) {
    return size >= 20 && size <= 64;
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

base::Result<base::SecretBytes> derived_bytes(const KeyStore& store, const KeyReference& key) {
    if (key.kind != KeyReference::Kind::derived)
        return bad_parameter("keyHandle", "is not one of a derived key");
    SP_TRY(return, const auto from, store.symmetric(key.id));
    SP_TRY(return, auto bytes, from->hmac_sha256(key.data));
    base::SecretBytes out{std::span<const std::byte>(bytes)};
    base::wipe(bytes.data(), bytes.size());
    return out;
}

base::Result<base::Bytes> sign_with(const KeyStore& store, const KeyReference& key, const json::value& body) {
    SP_TRY(return, const auto algorithm, text_member(body, "algorithm"));
    SP_TRY(return, const auto parameters, object_member(body, "parameters"));
    if (algorithm == "HMAC-SHA256") {
        SP_TRY(return, const auto message, base64_member(parameters, "message"));
        SP_TRY(return, const auto symmetric, symmetric_key(store, key, algorithm));
        return symmetric->hmac_sha256(message);
    }
    if (algorithm == "ECDSA") {
        SP_TRY(return, const auto digest, base64_member(parameters, "digest"));
        if (!is_digest(digest.size())) return bad_parameter("digest", "is no digest: it has 20 to 64 octets");
        SP_TRY(return, const auto pair, key_pair(store, key, algorithm, "EC "));
        return pair.sign_digest(digest);
    }
    return bad_parameter("algorithm", fmt::format("{} is not known", algorithm));
}

base::Result<base::Bytes> encrypt_with(const KeyStore& store, const KeyReference& key,
                                       const json::value& body) {
    SP_TRY(return, const auto algorithm, text_member(body, "algorithm"));
    SP_TRY(return, const auto plaintext, base64_member(body, "plaintext"));
    if (algorithm == "AEAD") {
        SP_TRY(return, const auto nonces, nonces_of(body));
        SP_TRY(return, const auto symmetric, symmetric_key(store, key, algorithm));
        SP_TRY(return, const auto sealed, symmetric->seal(nonces.iv, nonces.additional, plaintext));
        base::Bytes out{tag_last};
        out.insert(out.end(), sealed.begin(), sealed.end());
        return out;
    }
    if (algorithm == "RSA-PKCS1" || algorithm == "RSA-NO-PADDING") {
        SP_TRY(return, const auto pair, key_pair(store, key, algorithm, "RSA "));
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
    SP_TRY(return, const auto nonces, nonces_of(body));
    SP_TRY(return, const auto symmetric, symmetric_key(store, key, algorithm));
    if (ciphertext.size() < 1 + tag_size || (ciphertext[0] != tag_last && ciphertext[0] != tag_first))
        return bad_parameter("ciphertext", "is not one of this service");
    base::Bytes sealed(ciphertext.begin() + 1, ciphertext.end());
    if (ciphertext[0] == tag_first) std::rotate(sealed.begin(), sealed.begin() + tag_size, sealed.end());
    auto opened = symmetric->open(nonces.iv, nonces.additional, sealed);
    if (!opened && opened.error().thing.starts_with("parameter ")) return opened;
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
