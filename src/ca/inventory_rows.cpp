// SPDX-License-Identifier: Apache-2.0
#include "ca/inventory_rows.hpp"

#include <array>
#include <cstring>

#include "base/result.hpp"

namespace ca::rows {
namespace {

// Two of the four indexes are over random octets, which is what an insert costs with a million entries: the
// serial is kept as octets, and of a key's hash the first eight decide enough. The DER lies apart, so that a
// walk over the rest does not read it.
constexpr std::array<store::Migration, 1> migrations{{{1, "inventory and the state of the audit log", R"sql(
CREATE TABLE certificate(
  id INTEGER PRIMARY KEY,
  serial BLOB NOT NULL UNIQUE,
  issuer TEXT NOT NULL, profile TEXT NOT NULL, label TEXT NOT NULL, device TEXT NOT NULL,
  subject TEXT NOT NULL, names TEXT NOT NULL,
  spki BLOB NOT NULL, spki_start INTEGER NOT NULL, thumbprint BLOB NOT NULL,
  not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, issued_at INTEGER NOT NULL,
  actor TEXT NOT NULL, replaces BLOB, replaced_by BLOB,
  revoked_at INTEGER, reason INTEGER
) STRICT;
CREATE INDEX certificate_end ON certificate(not_after);
CREATE INDEX certificate_device ON certificate(device, not_after);
CREATE INDEX certificate_key ON certificate(spki_start);
CREATE INDEX certificate_revoked ON certificate(issuer, serial) WHERE revoked_at IS NOT NULL;
CREATE TABLE body(id INTEGER PRIMARY KEY REFERENCES certificate(id), der BLOB NOT NULL) STRICT;
CREATE TABLE blocked(device TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE crl_number(issuer TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE note(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE log_state(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  seq INTEGER NOT NULL, hash BLOB NOT NULL, tree BLOB NOT NULL, genesis BLOB NOT NULL,
  file INTEGER NOT NULL, size INTEGER NOT NULL,
  head_seq INTEGER NOT NULL, head_hash BLOB NOT NULL, head_line BLOB NOT NULL, head_at INTEGER NOT NULL,
  heads_size INTEGER NOT NULL, heads_last INTEGER NOT NULL
) STRICT;
CREATE TABLE outbox(id INTEGER PRIMARY KEY, file INTEGER NOT NULL, at INTEGER NOT NULL, text BLOB NOT NULL) STRICT;
)sql"}}};

constexpr std::string_view columns =
    "c.id, c.serial, c.issuer, c.profile, c.label, c.device, c.subject, c.names, c.spki, c.thumbprint, "
    "c.not_before, c.not_after, c.issued_at, c.actor, c.replaces, c.replaced_by, c.revoked_at, c.reason";

std::string select(std::string_view rest, bool with_der = true) {
    return "SELECT " + std::string(columns) + (with_der ? ", b.der" : "") + " FROM certificate c " +
           (with_der ? "LEFT JOIN body b ON b.id = c.id " : "") + std::string(rest);
}

std::int64_t seconds(base::Instant when) {
    return when.time_since_epoch().count();
}
base::Instant instant(std::int64_t seconds) {
    return base::Instant(std::chrono::seconds(seconds));
}

base::Bytes octets(const std::string& serial) {
    return base::from_hex(serial).value_or(base::Bytes{});
}

std::int64_t start_of(const Sha256& hash) {
    std::int64_t start = 0;
    std::memcpy(&start, hash.data(), sizeof start);
    return start;
}

Sha256 hash_from(const base::Bytes& bytes) {
    Sha256 hash{};
    if (bytes.size() == hash.size()) std::copy(bytes.begin(), bytes.end(), hash.begin());
    return hash;
}

std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : "\n") + name;
    return all;
}

std::optional<std::string> optional_serial(const store::Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return base::to_hex(row.blob(column));
}

Entry read_entry(const store::Statement& row, bool with_der) {
    Entry entry;
    entry.serial = base::to_hex(row.blob(1));
    entry.issuer = row.text(2);
    entry.profile = pki::parse_profile(row.text(3)).value_or(pki::Profile::device);
    entry.label = row.text(4);
    entry.device = row.text(5);
    entry.subject = row.text(6);
    const auto names = row.text(7);
    if (!names.empty())
        for (const auto name : base::split(names, '\n')) entry.names.emplace_back(name);
    entry.spki = hash_from(row.blob(8));
    entry.certificate = hash_from(row.blob(9));
    entry.not_before = instant(row.integer(10));
    entry.not_after = instant(row.integer(11));
    entry.issued_at = instant(row.integer(12));
    entry.actor = row.text(13);
    entry.replaces = optional_serial(row, 14);
    entry.replaced_by = optional_serial(row, 15);
    if (!row.is_null(16))
        entry.revocation = Revocation{instant(row.integer(16)), static_cast<Reason>(row.integer(17))};
    if (with_der) entry.der = row.blob(18);
    return entry;
}

base::Result<std::optional<Entry>> first(store::Statement statement) {
    SP_TRY(return, const bool there, statement.step());
    if (!there) return std::nullopt;
    return read_entry(statement, true);
}

base::Status done(base::Result<int> ran) {
    if (!ran) return std::unexpected(ran.error());
    return {};
}

}  // namespace

std::span<const store::Migration> schema() {
    return migrations;
}

base::Status insert(store::Database& database, std::uint64_t id, const Entry& entry) {
    auto statement = database.statement(
        "INSERT INTO certificate(id, serial, issuer, profile, label, device, subject, names, spki, "
        "spki_start, "
        "thumbprint, not_before, not_after, issued_at, actor, replaces) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
    statement.bind(1, static_cast<std::int64_t>(id))
        .bind(2, octets(entry.serial))
        .bind(3, entry.issuer)
        .bind(4, pki::to_string(entry.profile))
        .bind(5, entry.label)
        .bind(6, entry.device)
        .bind(7, entry.subject)
        .bind(8, joined(entry.names))
        .bind(9, entry.spki)
        .bind(10, start_of(entry.spki))
        .bind(11, entry.certificate)
        .bind(12, seconds(entry.not_before))
        .bind(13, seconds(entry.not_after))
        .bind(14, seconds(entry.issued_at))
        .bind(15, entry.actor);
    if (entry.replaces) statement.bind(16, octets(*entry.replaces));
    if (auto ran = statement.run(); !ran) return std::unexpected(ran.error());
    auto body = database.statement("INSERT INTO body(id, der) VALUES(?, ?)");
    if (auto ran = body.bind(1, static_cast<std::int64_t>(id)).bind(2, entry.der).run(); !ran)
        return std::unexpected(ran.error());
    if (!entry.replaces) return {};
    auto older = database.statement("UPDATE certificate SET replaced_by = ? WHERE serial = ?");
    return done(older.bind(1, octets(entry.serial)).bind(2, octets(*entry.replaces)).run());
}

base::Result<std::optional<Entry>> find(store::Database& database, const std::string& serial) {
    static const auto sql = select("WHERE c.serial = ?");
    auto statement = database.statement(sql);
    statement.bind(1, octets(serial));
    return first(std::move(statement));
}

base::Result<std::optional<Entry>> find_key(store::Database& database, const Sha256& spki,
                                            base::Instant now) {
    static const auto sql = select(
        "WHERE c.spki_start = ? AND c.spki = ? AND c.not_after > ? AND c.revoked_at IS NULL ORDER BY c.id "
        "DESC LIMIT "
        "1");
    auto statement = database.statement(sql);
    statement.bind(1, start_of(spki)).bind(2, spki).bind(3, seconds(now));
    return first(std::move(statement));
}

base::Result<bool> is_compromised(store::Database& database, const Sha256& spki) {
    auto statement = database.statement(
        "SELECT 1 FROM certificate WHERE spki_start = ? AND spki = ? AND reason IN (?, ?, ?) LIMIT 1");
    statement.bind(1, start_of(spki)).bind(2, spki);
    statement.bind(3, static_cast<std::int64_t>(Reason::key_compromise));
    statement.bind(4, static_cast<std::int64_t>(Reason::ca_compromise));
    statement.bind(5, static_cast<std::int64_t>(Reason::aa_compromise));
    return statement.step();
}

base::Result<std::vector<Entry>> list(store::Database& database, const Ledger::Wish& wish,
                                      base::Instant now) {
    // In order of (not_after, id); `after` names where the page before ended.
    std::string where = "WHERE 1";
    if (wish.after)
        where += " AND (c.not_after, c.id) > (SELECT not_after, id FROM certificate WHERE serial = ?1)";
    if (wish.expiring_within) where += " AND c.not_after > ?2 AND c.not_after <= ?3";
    if (wish.device) where += " AND c.device = ?4";
    if (wish.actor) where += " AND c.actor = ?5";
    auto statement = database.statement(select(where + " ORDER BY c.not_after, c.id LIMIT ?6", false));
    if (wish.after) statement.bind(1, octets(*wish.after));
    if (wish.expiring_within) statement.bind(2, seconds(now)).bind(3, seconds(now + *wish.expiring_within));
    if (wish.device) statement.bind(4, *wish.device);
    if (wish.actor) statement.bind(5, *wish.actor);
    statement.bind(6, static_cast<std::int64_t>(wish.most));
    std::vector<Entry> entries;
    while (true) {
        SP_TRY(return, const bool more, statement.step());
        if (!more) return entries;
        entries.push_back(read_entry(statement, false));
    }
}

base::Status set_revocation(store::Database& database, const std::string& serial,
                            const std::optional<Revocation>& revocation) {
    auto statement =
        database.statement("UPDATE certificate SET revoked_at = ?1, reason = ?2 WHERE serial = ?3");
    if (revocation)
        statement.bind(1, seconds(revocation->at)).bind(2, static_cast<std::int64_t>(revocation->reason));
    return done(statement.bind(3, octets(serial)).run());
}

base::Result<std::vector<Ledger::Revoked>> revoked(store::Database& database, const std::string& issuer,
                                                   base::Instant since) {
    auto statement = database.statement(
        "SELECT serial, revoked_at, reason FROM certificate WHERE issuer = ? AND revoked_at IS NOT NULL AND "
        "not_after > ? ORDER BY serial");
    statement.bind(1, issuer).bind(2, seconds(since));
    std::vector<Ledger::Revoked> all;
    while (true) {
        SP_TRY(return, const bool more, statement.step());
        if (!more) return all;
        all.push_back({base::to_hex(statement.blob(0)),
                       {instant(statement.integer(1)), static_cast<Reason>(statement.integer(2))}});
    }
}

base::Status set_blocked(store::Database& database, const std::string& device, bool blocked,
                         base::Instant now) {
    auto statement =
        database.statement(blocked ? "INSERT OR IGNORE INTO blocked(device, since) VALUES(?1, ?2)"
                                   : "DELETE FROM blocked WHERE device = ?1");
    statement.bind(1, device);
    if (blocked) statement.bind(2, seconds(now));
    return done(statement.run());
}

base::Result<std::vector<std::string>> blocked(store::Database& database) {
    auto statement = database.statement("SELECT device FROM blocked ORDER BY device");
    std::vector<std::string> devices;
    while (true) {
        SP_TRY(return, const bool more, statement.step());
        if (!more) return devices;
        devices.push_back(statement.text(0));
    }
}

base::Result<std::uint64_t> next_crl_number(store::Database& database, const std::string& issuer) {
    auto statement = database.statement(
        "INSERT INTO crl_number(issuer, number) VALUES(?, 1) ON CONFLICT(issuer) DO UPDATE SET number = "
        "number "
        "+ 1 RETURNING number");
    statement.bind(1, issuer);
    SP_TRY(return, const bool there, statement.step());
    if (!there) return base::fail(base::Code::internal, "CRL number", "was not counted");
    const auto number = static_cast<std::uint64_t>(statement.integer(0));
    // A statement with RETURNING has done its work when it is stepped to its end.
    if (auto ended = statement.run(); !ended) return std::unexpected(ended.error());
    return number;
}

base::Result<std::vector<Ledger::Count>> counts(store::Database& database, base::Instant now) {
    auto statement = database.statement(
        "SELECT profile, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN not_after <= ? THEN 'expired' "
        "ELSE "
        "'valid' END AS state, count(*) FROM certificate GROUP BY profile, state");
    statement.bind(1, seconds(now));
    std::vector<Ledger::Count> all;
    while (true) {
        SP_TRY(return, const bool more, statement.step());
        if (!more) return all;
        all.push_back(
            {statement.text(0), statement.text(1), static_cast<std::uint64_t>(statement.integer(2))});
    }
}

base::Result<std::optional<std::string>> note(store::Database& database, const std::string& name) {
    auto statement = database.statement("SELECT value FROM note WHERE name = ?");
    statement.bind(1, name);
    SP_TRY(return, const bool there, statement.step());
    if (!there) return std::nullopt;
    return statement.text(0);
}

base::Status set_note(store::Database& database, const std::string& name, const std::string& value) {
    auto statement = database.statement(
        "INSERT INTO note(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value");
    return done(statement.bind(1, name).bind(2, value).run());
}

IssuedCursor::IssuedCursor(store::Database& database)
    : statement_(database.statement("SELECT id, serial, thumbprint, reason FROM certificate ORDER BY id")) {}

base::Result<std::optional<Issued>> IssuedCursor::next() {
    SP_TRY(return, const bool more, statement_.step());
    if (!more) return std::nullopt;
    Issued issued{static_cast<std::uint64_t>(statement_.integer(0)), base::to_hex(statement_.blob(1)),
                  base::to_hex(statement_.blob(2)), std::nullopt};
    if (!statement_.is_null(3)) issued.revoked = static_cast<Reason>(statement_.integer(3));
    return issued;
}

}  // namespace ca::rows
