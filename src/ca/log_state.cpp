// SPDX-License-Identifier: Apache-2.0
#include "ca/log_state.hpp"

#include <algorithm>

#include "base/result.hpp"

namespace ca {
namespace {

std::uint64_t count_of(const store::Statement& row, int column) {
    return static_cast<std::uint64_t>(row.integer(column));
}

bool read_digest(const store::Statement& row, int column, Sha256& into) {
    const auto bytes = row.blob(column);
    if (bytes.size() != into.size()) return false;
    std::ranges::copy(bytes, into.begin());
    return true;
}

}  // namespace

base::Result<std::optional<LogState>> load_log_state(store::Database& database) {
    auto row = database.statement(
        "SELECT seq, hash, tree, genesis, file, size, head_seq, head_hash, head_line, head_at, heads_size, "
        "heads_last "
        "FROM log_state");
    SP_TRY(return, const bool there, row.step());
    if (!there) return std::nullopt;
    LogState state{.seq = count_of(row, 0),
                   .file = count_of(row, 4),
                   .size = count_of(row, 5),
                   .head_seq = count_of(row, 6),
                   .head_at = count_of(row, 9),
                   .heads_size = count_of(row, 10),
                   .heads_last = count_of(row, 11)};
    auto tree = AuditTree::from_bytes(state.seq, row.blob(2));
    if (!tree || !read_digest(row, 1, state.hash) || !read_digest(row, 3, state.genesis) ||
        !read_digest(row, 7, state.head_hash) || !read_digest(row, 8, state.head_line))
        return base::fail(base::Code::malformed, "inventory", "has a broken record of the audit log's state",
                          "run sallyport ca audit verify");
    state.tree = *std::move(tree);
    return state;
}

base::Status save_log_state(store::Database& database, const LogState& state) {
    auto row = database.statement(
        "INSERT OR REPLACE INTO log_state(id, seq, hash, tree, genesis, file, size, head_seq, head_hash, "
        "head_line, "
        "head_at, heads_size, heads_last) VALUES(1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    row.bind(1, number(state.seq))
        .bind(2, state.hash)
        .bind(3, state.tree.bytes())
        .bind(4, state.genesis)
        .bind(5, number(state.file))
        .bind(6, number(state.size))
        .bind(7, number(state.head_seq))
        .bind(8, state.head_hash)
        .bind(9, state.head_line)
        .bind(10, number(state.head_at))
        .bind(11, number(state.heads_size))
        .bind(12, number(state.heads_last));
    if (auto ran = row.run(); !ran) return std::unexpected(ran.error());
    return {};
}

base::Result<std::vector<Outbox>> load_outbox(store::Database& database) {
    auto row = database.statement("SELECT id, file, at, text FROM outbox ORDER BY id");
    std::vector<Outbox> all;
    while (true) {
        SP_TRY(return, const bool more, row.step());
        if (!more) return all;
        all.push_back(
            {row.integer(0), count_of(row, 1), count_of(row, 2), std::string(base::as_text(row.blob(3)))});
    }
}

base::Status add_outbox(store::Database& database, Outbox& row) {
    auto statement = database.statement("INSERT INTO outbox(file, at, text) VALUES(?, ?, ?)");
    statement.bind(1, static_cast<std::int64_t>(row.file))
        .bind(2, static_cast<std::int64_t>(row.at))
        .bind(3, base::as_bytes(row.text));
    if (auto ran = statement.run(); !ran) return std::unexpected(ran.error());
    row.id = database.last_insert_id();
    return {};
}

base::Status drop_outbox(store::Database& database, std::int64_t up_to) {
    auto statement = database.statement("DELETE FROM outbox WHERE id <= ?");
    if (auto ran = statement.bind(1, up_to).run(); !ran) return std::unexpected(ran.error());
    return {};
}

}  // namespace ca
