// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ca/audit_tree.hpp"
#include "ca/inventory.hpp"
#include "store/database.hpp"

namespace ca {

/// Where the audit log stands, as the database keeps it beside the inventory.
struct LogState {
    std::uint64_t seq = 0;  ///< of the last entry
    Sha256 hash{};          ///< its hash
    AuditTree tree{};
    Sha256 genesis{};              ///< hash of the first entry: which log this is
    std::uint64_t file = 1;        ///< number of the newest file
    std::uint64_t size = 0;        ///< its size
    std::uint64_t head_seq = 0;    ///< entry of the newest signed head
    Sha256 head_hash{};            ///< hash of that entry
    Sha256 head_line{};            ///< SHA-256 of the head's own line
    std::uint64_t head_at = 0;     ///< where in `file` the entries begin that no head covers
    std::uint64_t heads_size = 0;  ///< size of the file of heads
    std::uint64_t heads_last = 0;  ///< where its last line begins
};

/// Text on its way to a file of the log: committed together with what it tells about.
struct Outbox {
    std::int64_t id = 0;
    std::uint64_t file = 0;
    std::uint64_t at = 0;
    std::string text;
};

/// nullopt where nothing was written yet; `malformed` where the row does not fit together.
base::Result<std::optional<LogState>> load_log_state(store::Database& database);
base::Status save_log_state(store::Database& database, const LogState& state);
base::Result<std::vector<Outbox>> load_outbox(store::Database& database);
/// Puts the row in and its id into `row`.
base::Status add_outbox(store::Database& database, Outbox& row);
base::Status drop_outbox(store::Database& database, std::int64_t up_to);

}  // namespace ca
