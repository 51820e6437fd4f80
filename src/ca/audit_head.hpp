// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ca/inventory.hpp"
#include "pki/key.hpp"

namespace ca {

/// A signature over the audit log as it stood after one entry (est-and-pki.md 9.5). A line of its own in the
/// file of heads; heads are a chain themselves.
struct SignedHead {
    std::string log;  ///< hash of the first entry, hex: which log this is
    std::uint64_t seq = 0;
    Sha256 hash{};     ///< of entry `seq`
    Sha256 root{};     ///< Merkle root over the hashes of all entries up to it
    std::string time;  ///< RFC 3339 with milliseconds
    std::string key;   ///< SHA-256 of the audit key's SubjectPublicKeyInfo, hex
    Sha256 prev{};     ///< SHA-256 of the whole line of the head before; zero for the first
};

/// The signed line, without its end.
base::Result<std::string> sign(const SignedHead& head, const pki::PrivateKey& key);
/// Reads what `sign` writes and nothing else; `malformed` also where the signature is not the key's.
base::Result<SignedHead> read_signed_head(std::string_view line, const pki::PublicKey& key);
/// The fields without looking at the signature, for showing them.
base::Result<SignedHead> parse_head(std::string_view line);

}  // namespace ca
