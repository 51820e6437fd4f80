// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace pki {

using Sha256 = std::array<std::byte, 32>;
using Sha1 = std::array<std::byte, 20>;

Sha256 sha256(std::span<const std::byte> bytes);
/// For thumbprints, key identifiers and the WebSocket handshake; nothing is signed with it.
Sha1 sha1(std::span<const std::byte> bytes);
/// HMAC-SHA256 (RFC 2104) of `message` under `key` of any length.
Sha256 hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message);
/// From the operating system's generator; never fails (ends the process where there is none).
base::Bytes random_bytes(std::size_t count);
base::SecretBytes random_secret(std::size_t count);
/// A random UUID in text form (RFC 9562 version 4).
std::string random_uuid();

/// AES-256-GCM with a nonce of any length from 1 octet. key: 32 octets.
/// seal answers ciphertext followed by the 16-octet tag; open expects that order and fails with
/// invalid_argument where tag, nonce or additional data do not match.
base::Result<base::Bytes> aead_seal(std::span<const std::byte> key, std::span<const std::byte> nonce,
                                    std::span<const std::byte> additional,
                                    std::span<const std::byte> plaintext);
base::Result<base::SecretBytes> aead_open(std::span<const std::byte> key, std::span<const std::byte> nonce,
                                          std::span<const std::byte> additional,
                                          std::span<const std::byte> sealed);

}  // namespace pki
