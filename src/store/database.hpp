// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace store {

/// One numbered step of a schema, forward only (style.md 6.2).
struct Migration {
    int number;             ///< 1, 2, 3...
    std::string_view what;  ///< "devices and modules"
    std::string_view sql;
};

class Database;

/// A prepared statement out of the cache of its database; reset when it leaves scope. Columns and parameters
/// from 1 for bind, from 0 for columns, as SQLite counts.
class Statement {
  public:
    Statement(Statement&&) noexcept;
    ~Statement();
    Statement& bind(int at, std::string_view text);
    Statement& bind(int at, std::int64_t number);
    Statement& bind(int at, std::span<const std::byte> blob);
    Statement& bind_null(int at);
    /// True: a row is there. False: done.
    base::Result<bool> step();
    /// Steps to the end of a statement that gives no rows; the number of rows changed.
    base::Result<int> run();
    std::string text(int column) const;
    std::int64_t integer(int column) const;
    base::Bytes blob(int column) const;
    bool is_null(int column) const;

  private:
    friend class Database;
    struct Impl;
    explicit Statement(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// One SQLite connection: WAL, synchronous=FULL, foreign keys on. For one thread at a time. A write that
/// another process holds up waits for five seconds.
class Database {
  public:
    enum class Access { read_write, read_only };
    /// Makes the file with mode 0600 where it is missing, and brings it to the newest migration (read_write).
    /// A schema newer than ours is an error that says which program is too old.
    static base::Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, Access access,
                                                        std::span<const Migration> migrations);
    ~Database();
    /// From the cache, by its text. A text that does not prepare is a bug and throws.
    Statement statement(std::string_view sql);
    /// Runs `work` in one transaction (BEGIN IMMEDIATE); rolls back where it fails or throws.
    base::Status transaction(const std::function<base::Status()>& work);
    std::int64_t last_insert_id() const;
    /// False again where SQLite has rolled a transaction back by itself, as it may on a full disk.
    bool in_transaction() const;

  private:
    struct Impl;
    explicit Database(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace store
