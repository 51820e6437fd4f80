// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace ca {

class AuditReader;

/// What became of looking at the whole audit log.
struct AuditReport {
    std::string problem;      ///< empty: nothing was changed
    std::uint64_t entry = 0;  ///< the first entry that was changed, removed or added; 0 where it is none
    std::uint64_t entries = 0, heads = 0, certificates = 0;
    std::string newest_head;  ///< its line

    bool clean() const { return problem.empty(); }
};

/// Every entry's hash and chain, every head's signature and tree, that the log ends where the inventory
/// knows, and that inventory and log tell of the same certificates and revocations (est-and-pki.md 9.5).
/// anchors: lines of heads that were kept elsewhere. Fails only where something cannot be read.
///
/// What it cannot see: log, heads and inventory rolled back together, and a log written anew with the audit
/// key. Both need an anchor.
base::Result<AuditReport> verify_audit(const std::filesystem::path& data,
                                       const std::vector<std::string>& anchors = {});

/// The same on a log that is open already.
base::Result<AuditReport> verify_audit(const AuditReader& reader,
                                       const std::vector<std::string>& anchors = {});

/// A proof that entry `seq` is in the log that the newest head behind it signs, as one JSON object: "entry",
/// "seq", "count", "path" (hashes from the entry to the root), "head". not_found: no such entry, or no head
/// covers it.
base::Result<std::string> prove_entry(const std::filesystem::path& data, std::uint64_t seq);

}  // namespace ca
