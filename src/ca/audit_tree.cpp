// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_tree.hpp"

#include <algorithm>
#include <bit>

#include "pki/digest.hpp"

namespace ca {
namespace {

Sha256 node_hash(const Sha256& left, const Sha256& right) {
    std::array<std::byte, 65> both;
    both[0] = std::byte{0x01};
    std::ranges::copy(left, both.begin() + 1);
    std::ranges::copy(right, both.begin() + 33);
    return pki::sha256(both);
}

/// The largest power of two below n (n > 1).
std::uint64_t split_point(std::uint64_t n) {
    return std::bit_floor(n - 1);
}

void add_consistency(std::span<const Sha256> entries, std::uint64_t earlier, bool known,
                     std::vector<Sha256>& proof) {
    const std::uint64_t count = entries.size();
    if (earlier == count) {
        if (!known) proof.push_back(tree_root(entries));
        return;
    }
    const auto k = split_point(count);
    if (earlier <= k) {
        add_consistency(entries.first(k), earlier, known, proof);
        proof.push_back(tree_root(entries.subspan(k)));
    } else {
        add_consistency(entries.subspan(k), earlier - k, false, proof);
        proof.push_back(tree_root(entries.first(k)));
    }
}

}  // namespace

void AuditTree::append(const Sha256& entry) {
    Sha256 hash = entry;
    for (auto rest = count_; (rest & 1) != 0; rest >>= 1) {
        hash = node_hash(whole_.back(), hash);
        whole_.pop_back();
    }
    whole_.push_back(hash);
    ++count_;
}

Sha256 AuditTree::root() const {
    if (whole_.empty()) return pki::sha256({});
    Sha256 hash = whole_.back();
    for (auto left = whole_.rbegin() + 1; left != whole_.rend(); ++left) hash = node_hash(*left, hash);
    return hash;
}

base::Bytes AuditTree::bytes() const {
    base::Bytes all;
    for (const auto& hash : whole_) all.insert(all.end(), hash.begin(), hash.end());
    return all;
}

std::optional<AuditTree> AuditTree::from_bytes(std::uint64_t count, std::span<const std::byte> bytes) {
    AuditTree tree;
    tree.count_ = count;
    tree.whole_.resize(static_cast<std::size_t>(std::popcount(count)));
    if (bytes.size() != tree.whole_.size() * sizeof(Sha256)) return std::nullopt;
    for (auto& hash : tree.whole_) {
        std::ranges::copy(bytes.first(hash.size()), hash.begin());
        bytes = bytes.subspan(hash.size());
    }
    return tree;
}

Sha256 tree_root(std::span<const Sha256> entries) {
    AuditTree tree;
    for (const auto& entry : entries) tree.append(entry);
    return tree.root();
}

std::vector<Sha256> inclusion_proof(std::span<const Sha256> entries, std::uint64_t index) {
    std::vector<Sha256> proof;
    while (entries.size() > 1) {
        const auto k = split_point(entries.size());
        const bool left = index < k;
        proof.push_back(tree_root(left ? entries.subspan(k) : entries.first(k)));
        entries = left ? entries.first(k) : entries.subspan(k);
        if (!left) index -= k;
    }
    std::ranges::reverse(proof);
    return proof;
}

bool check_inclusion(const Sha256& entry, std::uint64_t index, std::uint64_t count,
                     std::span<const Sha256> proof, const Sha256& root) {
    if (index >= count) return false;
    auto last = count - 1;
    Sha256 hash = entry;
    for (const auto& other : proof) {
        if (last == 0) return false;
        if ((index & 1) != 0 || index == last) {
            hash = node_hash(other, hash);
            while ((index & 1) == 0 && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, other);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && hash == root;
}

std::vector<Sha256> consistency_proof(std::span<const Sha256> entries, std::uint64_t earlier) {
    std::vector<Sha256> proof;
    if (earlier > 0 && earlier < entries.size()) add_consistency(entries, earlier, true, proof);
    return proof;
}

bool check_consistency(std::uint64_t earlier, const Sha256& earlier_root, std::uint64_t count,
                       const Sha256& root, std::span<const Sha256> proof) {
    if (earlier == 0 || earlier > count) return false;
    if (earlier == count) return proof.empty() && earlier_root == root;
    // RFC 9162 2.1.4.2
    auto node = earlier - 1;
    auto last = count - 1;
    while ((node & 1) != 0) {
        node >>= 1;
        last >>= 1;
    }
    std::size_t at = 0;
    Sha256 old_hash = earlier_root;
    if (!std::has_single_bit(earlier)) {
        if (proof.empty()) return false;
        old_hash = proof[at++];
    }
    Sha256 new_hash = old_hash;
    for (; at < proof.size(); ++at) {
        if (last == 0) return false;
        if ((node & 1) != 0 || node == last) {
            old_hash = node_hash(proof[at], old_hash);
            new_hash = node_hash(proof[at], new_hash);
            while ((node & 1) == 0 && node != 0) {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(new_hash, proof[at]);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && old_hash == earlier_root && new_hash == root;
}

}  // namespace ca
