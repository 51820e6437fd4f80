// SPDX-License-Identifier: Apache-2.0
#include "pki/digest.hpp"

#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>

#include "pki/openssl.hpp"

namespace pki {
namespace {

constexpr std::size_t tag_size = 16;
constexpr std::size_t aes_key_size = 32;

unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}

template <std::size_t Size>
std::array<std::byte, Size> digest(const EVP_MD* kind, std::span<const std::byte> bytes) {
    std::array<std::byte, Size> out{};
    if (EVP_Digest(bytes.data(), bytes.size(), raw(out.data()), nullptr, kind, nullptr) != 1) std::abort();
    return out;
}

void fill_random(std::span<std::byte> out) {
    if (!out.empty() && RAND_bytes(raw(out.data()), static_cast<int>(out.size())) != 1) std::abort();
}

base::Status check_key(std::span<const std::byte> key, std::span<const std::byte> nonce) {
    if (key.size() != aes_key_size)
        return base::fail(base::Code::invalid_argument, "AES-256-GCM key", "must have 32 octets");
    if (nonce.empty()) return base::fail(base::Code::invalid_argument, "AES-256-GCM nonce", "is empty");
    return {};
}

}  // namespace

Sha256 sha256(std::span<const std::byte> bytes) {
    return digest<32>(EVP_sha256(), bytes);
}
Sha1 sha1(std::span<const std::byte> bytes) {
    return digest<20>(EVP_sha1(), bytes);
}

Sha256 hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message) {
    static constexpr std::byte none{};
    Sha256 out{};
    unsigned size = out.size();
    // HMAC refuses a null key pointer even where its length is zero.
    if (!HMAC(EVP_sha256(), key.empty() ? &none : key.data(), static_cast<int>(key.size()),
              raw(message.data()), message.size(), raw(out.data()), &size))
        std::abort();
    return out;
}

base::Bytes random_bytes(std::size_t count) {
    base::Bytes out(count);
    fill_random(out);
    return out;
}

base::SecretBytes random_secret(std::size_t count) {
    base::SecretBytes out(count);
    fill_random(out.mutable_bytes());
    return out;
}

std::string random_uuid() {
    auto bytes = random_bytes(16);
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    auto text = base::to_hex(bytes);
    for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
    return text;
}

base::Result<base::Bytes> aead_seal(std::span<const std::byte> key, std::span<const std::byte> nonce,
                                    std::span<const std::byte> additional,
                                    std::span<const std::byte> plaintext) {
    if (auto fine = check_key(key, nonce); !fine) return std::unexpected(fine.error());
    base::Bytes out(plaintext.size() + tag_size);
    const EvpCipherCtxPtr ctx(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool done =
        ctx && EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()), nullptr) ==
            1 &&
        EVP_EncryptInit_ex(ctx.get(), nullptr, nullptr, raw(key.data()), raw(nonce.data())) == 1 &&
        EVP_EncryptUpdate(ctx.get(), nullptr, &size, raw(additional.data()),
                          static_cast<int>(additional.size())) == 1 &&
        (plaintext.empty() || EVP_EncryptUpdate(ctx.get(), raw(out.data()), &size, raw(plaintext.data()),
                                                static_cast<int>(plaintext.size())) == 1) &&
        EVP_EncryptFinal_ex(ctx.get(), raw(out.data()) + plaintext.size(), &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, out.data() + plaintext.size()) == 1;
    if (!done) return openssl_error(base::Code::internal, "AES-256-GCM", "could not encrypt");
    return out;
}

base::Result<base::SecretBytes> aead_open(std::span<const std::byte> key, std::span<const std::byte> nonce,
                                          std::span<const std::byte> additional,
                                          std::span<const std::byte> sealed) {
    if (auto fine = check_key(key, nonce); !fine) return std::unexpected(fine.error());
    if (sealed.size() < tag_size)
        return base::fail(base::Code::invalid_argument, "ciphertext", "is shorter than its tag of 16 octets");
    const auto body = sealed.first(sealed.size() - tag_size);
    base::Bytes tag(sealed.end() - tag_size, sealed.end());
    base::SecretBytes out(body.size());
    const EvpCipherCtxPtr ctx(EVP_CIPHER_CTX_new());
    int size = 0;
    unsigned char none[16];
    const bool done =
        ctx && EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()), nullptr) ==
            1 &&
        EVP_DecryptInit_ex(ctx.get(), nullptr, nullptr, raw(key.data()), raw(nonce.data())) == 1 &&
        EVP_DecryptUpdate(ctx.get(), nullptr, &size, raw(additional.data()),
                          static_cast<int>(additional.size())) == 1 &&
        (body.empty() || EVP_DecryptUpdate(ctx.get(), raw(out.mutable_bytes().data()), &size,
                                           raw(body.data()), static_cast<int>(body.size())) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(ctx.get(), none, &size) == 1;
    if (!done) {
        clear_openssl_errors();
        return base::fail(base::Code::invalid_argument, "ciphertext",
                          "does not match its tag, nonce or additional data");
    }
    return out;
}

}  // namespace pki
