// SPDX-License-Identifier: Apache-2.0
#include "pki/key.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

#include "base/file.hpp"
#include "base/result.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

constexpr std::array<std::pair<KeyType, std::string_view>, 5> type_names{{
    {KeyType::ec_p256, "ec-p256"},
    {KeyType::ec_p384, "ec-p384"},
    {KeyType::rsa_2048, "rsa-2048"},
    {KeyType::rsa_3072, "rsa-3072"},
    {KeyType::rsa_4096, "rsa-4096"},
}};

constexpr int smallest_rsa = 2048;
constexpr int largest_rsa = 4096;

std::shared_ptr<evp_pkey_st> owned(EVP_PKEY* key) {
    return {key, EVP_PKEY_free};
}

std::string describe(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "EC")) {
        char group[64]{};
        EVP_PKEY_get_group_name(key, group, sizeof group, nullptr);
        const std::string_view name = group;
        return fmt::format("EC {}", name == "prime256v1"  ? "P-256"
                                    : name == "secp384r1" ? "P-384"
                                    : name == "secp521r1" ? "P-521"
                                                          : name);
    }
    return fmt::format("{} {}", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

// OpenSSL would ask on the terminal; an encrypted key is refused by name instead.
int no_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

}  // namespace

std::string_view to_string(KeyType type) {
    for (const auto& [each, name] : type_names)
        if (each == type) return name;
    return "unknown";
}

std::optional<KeyType> parse_key_type(std::string_view text) {
    for (const auto& [type, name] : type_names)
        if (name == text) return type;
    return std::nullopt;
}

PublicKey PublicKey::of(const Certificate& certificate) {
    return PublicKey(owned(X509_get_pubkey(certificate.handle())));
}

PublicKey PublicKey::share(evp_pkey_st* key) {
    if (key) EVP_PKEY_up_ref(key);
    return PublicKey(owned(key));
}

base::Bytes PublicKey::der() const {
    if (!handle_) return {};
    return to_der<EVP_PKEY>(handle(),
                            [](EVP_PKEY* key, unsigned char** out) { return i2d_PUBKEY(key, out); });
}

bool PublicKey::is_rsa() const {
    return handle_ && EVP_PKEY_is_a(handle(), "RSA");
}

std::string PublicKey::description() const {
    return handle_ ? describe(handle()) : "unknown key";
}

base::Status PublicKey::check_strength(std::string thing) const {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, std::move(thing), std::move(reason),
                          "use a key of one of the types ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096");
    };
    if (!handle_) return refuse("has a public key that cannot be read");
    if (is_rsa()) {
        const int bits = EVP_PKEY_get_bits(handle());
        if (bits < smallest_rsa || bits > largest_rsa)
            return refuse(fmt::format("has an RSA key of {} bits, {} to {} are allowed", bits, smallest_rsa,
                                      largest_rsa));
        BIGNUM* raw = nullptr;
        const bool read = EVP_PKEY_get_bn_param(handle(), OSSL_PKEY_PARAM_RSA_E, &raw) == 1;
        const BignumPtr exponent(raw);
        if (!read || !BN_is_odd(exponent.get()) || BN_num_bits(exponent.get()) < 17 ||
            BN_num_bits(exponent.get()) > 256)
            return refuse("has an RSA key whose exponent is not an odd number from 65537 to 2^256");
        return {};
    }
    if (!EVP_PKEY_is_a(handle(), "EC"))
        return refuse(fmt::format("has a key of the type {}", describe(handle())));
    int explicit_parameters = 0;
    if (EVP_PKEY_get_int_param(handle(), OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &explicit_parameters) == 1 &&
        explicit_parameters != 0)
        return refuse("has an EC key with explicit curve parameters");
    const auto name = describe(handle());
    if (name != "EC P-256" && name != "EC P-384" && name != "EC P-521")
        return refuse(fmt::format("has a key on the curve {}", name.substr(3)));
    const EvpKeyCtxPtr ctx(EVP_PKEY_CTX_new(handle(), nullptr));
    if (!ctx || EVP_PKEY_public_check(ctx.get()) != 1) {
        clear_openssl_errors();
        return refuse("has an EC key whose point is not on its curve");
    }
    return {};
}

bool operator==(const PublicKey& a, const PublicKey& b) {
    return a.handle_ && b.handle_ && EVP_PKEY_eq(a.handle(), b.handle()) == 1;
}

base::Result<PrivateKey> PrivateKey::generate(KeyType type) {
    EVP_PKEY* key = nullptr;
    switch (type) {
        case KeyType::ec_p256:
            key = EVP_EC_gen("P-256");
            break;
        case KeyType::ec_p384:
            key = EVP_EC_gen("P-384");
            break;
        case KeyType::rsa_2048:
            key = EVP_RSA_gen(2048);
            break;
        case KeyType::rsa_3072:
            key = EVP_RSA_gen(3072);
            break;
        case KeyType::rsa_4096:
            key = EVP_RSA_gen(4096);
            break;
    }
    if (!key)
        return openssl_error(base::Code::internal, fmt::format("{} key", to_string(type)),
                             "could not be made");
    return PrivateKey(owned(key));
}

base::Result<PrivateKey> PrivateKey::from_pem(const base::SecretBytes& pem, std::string thing) {
    const BioPtr in = bio_over(pem.bytes());
    bool encrypted = false;
    EVP_PKEY* key = PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &encrypted);
    if (key) return PrivateKey(owned(key));
    clear_openssl_errors();
    if (encrypted)
        return base::fail(
            base::Code::unsupported, std::move(thing), "is encrypted with a passphrase",
            "decrypt it with openssl pkey -in OLD -out NEW and protect the file by its mode 0600");
    return base::fail(base::Code::malformed, std::move(thing), "is not a PEM private key",
                      "it must hold a block -----BEGIN PRIVATE KEY-----");
}

base::Result<PrivateKey> PrivateKey::load(std::string_view uri, std::string thing) {
    for (const std::string_view scheme : {"pkcs11:", "tpm2:", "handle:"})
        if (uri.starts_with(scheme))
            return base::fail(base::Code::unsupported, std::move(thing),
                              fmt::format("lies behind {}, which this build cannot use", scheme),
                              "use a file: key");
    std::string path(uri);
    if (uri.starts_with("file://"))
        path = base::percent_decode(uri.substr(7)).value_or(std::string(uri.substr(7)));
    else if (uri.starts_with("file:"))
        path = uri.substr(5);
    SP_TRY(return, const auto pem, base::read_secret_file(path, thing));
    return from_pem(pem, fmt::format("{} {}", thing, path));
}

PrivateKey PrivateKey::adopt(evp_pkey_st* key) {
    return PrivateKey(owned(key));
}

PublicKey PrivateKey::public_key() const {
    return PublicKey::share(handle());
}

base::Result<base::SecretBytes> PrivateKey::pem() const {
    // A secure-memory BIO wipes what it held when it is freed.
    const BioPtr out(BIO_new(BIO_s_secmem()));
    if (!out ||
        PEM_write_bio_PKCS8PrivateKey(out.get(), handle(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        clear_openssl_errors();
        return base::fail(base::Code::unsupported, "private key",
                          "cannot be written out: its store keeps it");
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return base::SecretBytes(std::string_view(data, static_cast<std::size_t>(size)));
}

bool PrivateKey::matches(const Certificate& certificate) const {
    const bool same = X509_check_private_key(certificate.handle(), handle()) == 1;
    clear_openssl_errors();
    return same;
}

std::string PrivateKey::description() const {
    return describe(handle());
}

base::Result<base::Bytes> PrivateKey::sign_digest(std::span<const std::byte> digest) const {
    const EvpKeyCtxPtr ctx(EVP_PKEY_CTX_new(handle(), nullptr));
    std::size_t size = 0;
    const auto* input = reinterpret_cast<const unsigned char*>(digest.data());
    if (!ctx || EVP_PKEY_sign_init(ctx.get()) != 1 ||
        EVP_PKEY_sign(ctx.get(), nullptr, &size, input, digest.size()) != 1)
        return openssl_error(base::Code::invalid_argument, "digest", "could not be signed");
    base::Bytes out(size);
    if (EVP_PKEY_sign(ctx.get(), reinterpret_cast<unsigned char*>(out.data()), &size, input, digest.size()) !=
        1)
        return openssl_error(base::Code::invalid_argument, "digest", "could not be signed");
    out.resize(size);
    return out;
}

base::Result<base::Bytes> PrivateKey::rsa_private(std::span<const std::byte> input,
                                                  RsaPadding padding) const {
    if (!EVP_PKEY_is_a(handle(), "RSA"))
        return base::fail(base::Code::invalid_argument, "mechanism",
                          "needs an RSA key, this one is " + description());
    const EvpKeyCtxPtr ctx(EVP_PKEY_CTX_new(handle(), nullptr));
    std::size_t size = 0;
    const int mode = padding == RsaPadding::pkcs1 ? RSA_PKCS1_PADDING : RSA_NO_PADDING;
    const auto* data = reinterpret_cast<const unsigned char*>(input.data());
    if (!ctx || EVP_PKEY_sign_init(ctx.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx.get(), mode) != 1 ||
        EVP_PKEY_sign(ctx.get(), nullptr, &size, data, input.size()) != 1)
        return openssl_error(base::Code::invalid_argument, "plaintext", "could not be signed");
    base::Bytes out(size);
    if (EVP_PKEY_sign(ctx.get(), reinterpret_cast<unsigned char*>(out.data()), &size, data, input.size()) !=
        1)
        return openssl_error(base::Code::invalid_argument, "plaintext", "could not be signed");
    out.resize(size);
    return out;
}

}  // namespace pki
