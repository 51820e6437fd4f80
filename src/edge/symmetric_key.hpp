// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace edge {

/// A symmetric key where it lies. Everything that the keys service does with one is asked of it, so that its
/// octets need not leave a token (edge-runtime.md 1.5, 1.6).
class SymmetricKey {
  public:
    virtual ~SymmetricKey() = default;
    virtual base::Result<base::Bytes> hmac_sha256(std::span<const std::byte> message) const = 0;
    /// AES-GCM: ciphertext, then the tag of 16 octets.
    virtual base::Result<base::Bytes> seal(std::span<const std::byte> iv,
                                           std::span<const std::byte> additional,
                                           std::span<const std::byte> plaintext) const = 0;
    virtual base::Result<base::SecretBytes> open(std::span<const std::byte> iv,
                                                 std::span<const std::byte> additional,
                                                 std::span<const std::byte> sealed) const = 0;
};
using SymmetricKeyPtr = std::unique_ptr<const SymmetricKey>;

/// A key whose octets this process has: one of a file, or a derived one. Of 32 octets where it is to encrypt.
SymmetricKeyPtr key_in_memory(base::SecretBytes bytes);

}  // namespace edge
