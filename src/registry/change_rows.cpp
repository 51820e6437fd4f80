// SPDX-License-Identifier: Apache-2.0
#include "registry/rows.hpp"
#include "store/row_reading.hpp"

namespace registry::rows {

using store::collect;
using store::done;
namespace {

// A gateway that was away for longer reads its whole scope again.
constexpr std::int64_t kept_changes = 10'000;

// Scopes are made of ids, and no id has a line end.
std::string joined(const std::vector<std::string>& scopes) {
    std::string out;
    for (const auto& scope : scopes) out += (out.empty() ? "" : "\n") + scope;
    return out;
}

base::Result<Change> read_change(const store::Statement& row) {
    Change change{.number = static_cast<std::uint64_t>(row.integer(0)),
                  .device = row.text(1),
                  .module = row.text(2),
                  .deleted = row.integer(3) == 1,
                  .certificates = row.integer(4) == 1,
                  .scopes = {}};
    const auto scopes = row.text(5);
    if (!scopes.empty())
        for (const auto scope : base::split(scopes, '\n')) change.scopes.emplace_back(scope);
    return change;
}

base::Result<std::uint64_t> number_of(store::Statement& query) {
    SP_TRY(return, const bool there, query.step());
    return there ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

}  // namespace

base::Status append(store::Database& database, Change& change) {
    {
        auto row = database.statement(
            "INSERT INTO changes(device, module, deleted, certificates, scopes) VALUES(?, ?, ?, ?, ?)");
        row.bind(1, change.device).bind(2, change.module).bind(3, std::int64_t{change.deleted});
        row.bind(4, std::int64_t{change.certificates}).bind(5, joined(change.scopes));
        if (auto ran = row.run(); !ran) return std::unexpected(ran.error());
    }
    const auto number = database.last_insert_id();
    change.number = static_cast<std::uint64_t>(number);
    auto old = database.statement("DELETE FROM changes WHERE number <= ?");
    return done(old.bind(1, number - kept_changes).run());
}

base::Result<std::uint64_t> last_change(store::Database& database) {
    auto query = database.statement("SELECT seq FROM sqlite_sequence WHERE name = 'changes'");
    return number_of(query);
}

base::Result<std::uint64_t> oldest_change(store::Database& database) {
    auto query = database.statement("SELECT ifnull(min(number), 0) FROM changes");
    return number_of(query);
}

base::Result<std::vector<Change>> changes(store::Database& database, std::uint64_t since, std::size_t most) {
    auto query = database.statement(
        "SELECT number, device, module, deleted, certificates, scopes FROM changes WHERE number > ?"
        " ORDER BY number LIMIT ?");
    query.bind(1, static_cast<std::int64_t>(since)).bind(2, static_cast<std::int64_t>(most));
    return collect<Change>(query, read_change);
}

}  // namespace registry::rows
