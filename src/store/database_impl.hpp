// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/database.hpp"
#include "store/sqlite_error.hpp"

/// What the sources of `store` share and nobody else sees.
namespace store {

/// A connection and the statements that were prepared on it, by their text. A statement is out while it is
/// used, so that the same text may be used twice at a time.
struct StatementCache {
    std::string file;
    SQLite::Database connection;
    std::map<std::string, std::vector<std::unique_ptr<SQLite::Statement>>, std::less<>> idle;

    std::unique_ptr<SQLite::Statement> take(std::string_view sql);
    void give_back(const std::string& sql, std::unique_ptr<SQLite::Statement> statement) noexcept;
};

struct Statement::Impl {
    std::shared_ptr<StatementCache> cache;  // keeps the connection alive
    std::string sql;
    std::unique_ptr<SQLite::Statement> prepared;
};

}  // namespace store
