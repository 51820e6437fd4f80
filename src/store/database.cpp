// SPDX-License-Identifier: Apache-2.0
#include "store/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "store/database_impl.hpp"

namespace store {
namespace {

// Another process of the same role (a command beside a running hub) waits this long before it gives up.
constexpr int busy_timeout_ms = 5000;
constexpr auto version_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations(number INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT";

/// SQLite would make the file by the umask; its journal files then take the mode of the file.
base::Status make_private_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, base::secret_mode);
    if (descriptor < 0)
        return base::fail_errno(errno, "database " + file.string(), "opened",
                                "check that its directory exists and may be written");
    ::close(descriptor);
    return {};
}

base::Status set_up(SQLite::Database& connection, Database::Access access) {
    connection.exec("PRAGMA foreign_keys=ON");
    if (access == Database::Access::read_only) return {};
    connection.exec("PRAGMA journal_mode=WAL");
    connection.exec("PRAGMA synchronous=FULL");
    connection.exec("PRAGMA wal_autocheckpoint=1000");
    return {};
}

base::Result<int> present_version(Database& database) {
    auto table = database.statement("SELECT count(*) FROM sqlite_schema WHERE name='schema_migrations'");
    SP_TRY(return, const bool there, table.step());
    if (!there || table.integer(0) == 0) return 0;
    auto newest = database.statement("SELECT ifnull(max(number), 0) FROM schema_migrations");
    SP_TRY(return, const bool row, newest.step());
    return row ? static_cast<int>(newest.integer(0)) : 0;
}

base::Status too_new(const std::string& file, int found, int known) {
    return base::fail(base::Code::unsupported, "database " + file,
                      "has schema " + std::to_string(found) + ", newer than the " + std::to_string(known) +
                          " that sallyport " SALLYPORT_VERSION " knows",
                      "run the newer sallyport that wrote it");
}

base::Status apply(Database& database, SQLite::Database& connection, const std::string& file,
                   const Migration& migration) {
    if (connection.tryExec(std::string(migration.sql)) != SQLITE_OK) {
        auto why = sqlite_error(file, connection.getExtendedErrorCode(), connection.getErrorMsg());
        why.error().reason += " (migration " + std::to_string(migration.number) + ")";
        return why;
    }
    auto note = database.statement("INSERT INTO schema_migrations(number, what) VALUES(?, ?)");
    if (auto done = note.bind(1, std::int64_t{migration.number}).bind(2, migration.what).run(); !done)
        return std::unexpected(done.error());
    return {};
}

}  // namespace

std::unique_ptr<SQLite::Statement> StatementCache::take(std::string_view sql) {
    if (const auto found = idle.find(sql); found != idle.end() && !found->second.empty()) {
        auto statement = std::move(found->second.back());
        found->second.pop_back();
        return statement;
    }
    return std::make_unique<SQLite::Statement>(connection, std::string(sql));
}

void StatementCache::give_back(const std::string& sql,
                               std::unique_ptr<SQLite::Statement> statement) noexcept {
    statement->tryReset();  // tells the error of the last step again, which its caller has had
    statement->clearBindings();
    idle[sql].push_back(std::move(statement));
}

struct Database::Impl {
    std::shared_ptr<StatementCache> cache;
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

base::Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, Access access,
                                                       std::span<const Migration> migrations) {
    const bool writes = access == Access::read_write;
    if (writes)
        if (auto made = make_private_file(file); !made) return std::unexpected(made.error());
    try {
        const int flags = writes ? SQLite::OPEN_READWRITE : SQLite::OPEN_READONLY;
        auto cache = std::shared_ptr<StatementCache>(
            new StatementCache{file.string(), SQLite::Database(file, flags, busy_timeout_ms), {}});
        auto database = std::unique_ptr<Database>(new Database(std::make_unique<Impl>(Impl{cache})));
        if (auto ready = set_up(cache->connection, access); !ready) return std::unexpected(ready.error());

        const int known = migrations.empty() ? 0 : migrations.back().number;
        SP_TRY(return, const int found, present_version(*database));
        if (found > known) return std::unexpected(too_new(file.string(), found, known).error());
        if (found == known) return database;
        if (!writes)
            return base::fail(base::Code::unavailable, "database " + file.string(),
                              "has schema " + std::to_string(found) + ", older than ours",
                              "start the program that writes it first");
        auto moved = database->transaction([&]() -> base::Status {
            cache->connection.exec(version_table);
            SP_TRY(return, const int present,
                         present_version(*database));  // another process may have come first
            for (const auto& migration : migrations) {
                if (migration.number <= present) continue;
                if (auto done = apply(*database, cache->connection, file.string(), migration); !done)
                    return done;
            }
            return {};
        });
        if (!moved) return std::unexpected(moved.error());
        return database;
    } catch (const SQLite::Exception& why) {
        return sqlite_error(file.string(), why.getExtendedErrorCode(), why.what());
    }
}

Statement Database::statement(std::string_view sql) {
    auto prepared = impl_->cache->take(sql);
    return Statement(std::unique_ptr<Statement::Impl>(
        new Statement::Impl{impl_->cache, std::string(sql), std::move(prepared)}));
}

base::Status Database::transaction(const std::function<base::Status()>& work) {
    auto& connection = impl_->cache->connection;
    const auto run = [&](const char* sql) -> base::Status {
        if (connection.tryExec(sql) == SQLITE_OK) return {};
        return sqlite_error(impl_->cache->file, connection.getExtendedErrorCode(), connection.getErrorMsg());
    };
    if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    const auto roll_back = [&] {
        if (sqlite3_get_autocommit(connection.getHandle()) == 0) (void)run("ROLLBACK");
    };
    try {
        auto done = work();
        if (done) done = run("COMMIT");
        if (!done) roll_back();
        return done;
    } catch (...) {
        roll_back();
        throw;
    }
}

std::int64_t Database::last_insert_id() const {
    return impl_->cache->connection.getLastInsertRowid();
}
bool Database::in_transaction() const {
    return sqlite3_get_autocommit(impl_->cache->connection.getHandle()) == 0;
}

}  // namespace store
