// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "pki/certificate.hpp"

namespace pki {

enum class KeyType { ec_p256, ec_p384, rsa_2048, rsa_3072, rsa_4096 };
/// "ec-p256", "rsa-2048": as options and configuration spell it.
std::string_view to_string(KeyType type);
std::optional<KeyType> parse_key_type(std::string_view text);

/// The public half: what a certificate certifies. Immutable, cheap to copy.
class PublicKey {
  public:
    static PublicKey of(const Certificate& certificate);
    static PublicKey share(evp_pkey_st* key);
    evp_pkey_st* handle() const { return handle_.get(); }
    /// SubjectPublicKeyInfo in DER.
    base::Bytes der() const;
    friend bool operator==(const PublicKey& a, const PublicKey& b);

    bool is_rsa() const;
    /// "EC P-256", "RSA 2048"; "unknown key" where it could not be read.
    std::string description() const;
    /// Refuses a key that no certificate of ours may certify: RSA of 2048 to 4096 bits with an odd exponent
    /// of at least 65537, or a named curve P-256, P-384 or P-521 (OpenSSL's security level 2; explicit curve
    /// parameters are forbidden by RFC 5480 2.1.1). thing: whose key, for errors.
    base::Status check_strength(std::string thing) const;

  private:
    explicit PublicKey(std::shared_ptr<evp_pkey_st> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<evp_pkey_st> handle_;
};

/// A private key, wherever it lives: in memory, or behind a provider that signs without giving it away.
/// Moves, and shares one handle when asked to by `share`. Any thread may sign with it.
class PrivateKey {
  public:
    static base::Result<PrivateKey> generate(KeyType type);
    /// PKCS#8, PKCS#1 or SEC1 PEM, not encrypted. An encrypted one is refused by name.
    static base::Result<PrivateKey> from_pem(const base::SecretBytes& pem, std::string thing);
    /// By URI: "file:///path" or a plain path; the file must be 0600 (read_secret_file). pkcs11: and tpm2:
    /// are `unsupported` until their issue.
    static base::Result<PrivateKey> load(std::string_view uri, std::string thing);
    /// Wraps a handle made by a provider or engine (takes it over).
    static PrivateKey adopt(evp_pkey_st* key);

    evp_pkey_st* handle() const { return handle_.get(); }
    PrivateKey share() const { return PrivateKey(handle_); }
    PublicKey public_key() const;
    /// Unencrypted PKCS#8 PEM; fails with `unsupported` for a key that cannot leave its store.
    base::Result<base::SecretBytes> pem() const;
    bool matches(const Certificate& certificate) const;
    /// "EC P-256", "RSA 2048".
    std::string description() const;

    /// Signs an already computed digest: ECDSA gives a DER ECDSA-Sig-Value (keys service,
    /// edge-runtime.md 1.5).
    base::Result<base::Bytes> sign_digest(std::span<const std::byte> digest) const;
    /// The RSA private-key operation with PKCS#1 v1.5 type 1 padding, or with none (edge-runtime.md 1.5).
    enum class RsaPadding { pkcs1, none };
    base::Result<base::Bytes> rsa_private(std::span<const std::byte> input, RsaPadding padding) const;

  private:
    explicit PrivateKey(std::shared_ptr<evp_pkey_st> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<evp_pkey_st> handle_;
};

}  // namespace pki
