// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "ca/inventory.hpp"

namespace ca {

/// The Merkle tree over the hashes of all entries (RFC 6962 2.1), as far as appending needs it: the roots of
/// the whole subtrees, largest first. 32 octets for each binary one of the count.
class AuditTree {
  public:
    void append(const Sha256& entry);
    std::uint64_t count() const { return count_; }
    /// Of all entries so far; that of none is the hash of nothing.
    Sha256 root() const;

    base::Bytes bytes() const;
    /// nullopt where the bytes are not those of a tree of `count` entries.
    static std::optional<AuditTree> from_bytes(std::uint64_t count, std::span<const std::byte> bytes);

  private:
    std::uint64_t count_ = 0;
    std::vector<Sha256> whole_;
};

Sha256 tree_root(std::span<const Sha256> entries);
/// What leads from entry `index` (from 0) to the root, lowest first (RFC 6962 2.1.1).
std::vector<Sha256> inclusion_proof(std::span<const Sha256> entries, std::uint64_t index);
bool check_inclusion(const Sha256& entry, std::uint64_t index, std::uint64_t count,
                     std::span<const Sha256> proof, const Sha256& root);
/// That the tree of the first `earlier` entries is the beginning of this one (RFC 6962 2.1.2).
std::vector<Sha256> consistency_proof(std::span<const Sha256> entries, std::uint64_t earlier);
bool check_consistency(std::uint64_t earlier, const Sha256& earlier_root, std::uint64_t count,
                       const Sha256& root, std::span<const Sha256> proof);

}  // namespace ca
