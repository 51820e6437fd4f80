// SPDX-License-Identifier: Apache-2.0
#include "store/database.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stdexcept>

#include "base/file.hpp"
#include "support/temporary_directory.hpp"

namespace {

using store::Database;
using store::Migration;

const Migration first[] = {
    {1, "things", "CREATE TABLE things(id TEXT PRIMARY KEY, n INTEGER, b BLOB) STRICT"}};
const Migration both[] = {
    first[0], {2, "colour", "ALTER TABLE things ADD COLUMN colour TEXT; CREATE INDEX c ON things(colour)"}};

class DatabaseFile : public testing::Test {
  protected:
    std::unique_ptr<Database> open(std::span<const Migration> migrations,
                                   Database::Access access = Database::Access::read_write) {
        auto opened = Database::open(file, access, migrations);
        if (!opened) throw std::runtime_error(opened.error().text());
        return *std::move(opened);
    }
    std::int64_t count(Database& database) {
        auto row = database.statement("SELECT count(*) FROM things");
        EXPECT_TRUE(row.step().value());
        return row.integer(0);
    }
    support::TemporaryDirectory directory;
    std::filesystem::path file = directory / "hub.db";
};

TEST_F(DatabaseFile, IsMadeForItsUserAlone) {
    const auto before = ::umask(0);
    const auto database = open(first);
    ::umask(before);
    for (const auto* suffix : {"", "-wal", "-shm"}) {
        struct stat about{};
        ASSERT_EQ(::stat((file.string() + suffix).c_str(), &about), 0) << suffix;
        EXPECT_EQ(about.st_mode & 0777, 0600U) << suffix;
    }
}

TEST_F(DatabaseFile, KeepsTextNumbersBlobsAndNulls) {
    const auto database = open(first);
    const std::string text("a\0\xc3\xa9", 4);
    const base::Bytes blob{std::byte{0}, std::byte{255}};
    ASSERT_EQ(database->statement("INSERT INTO things VALUES(?, ?, ?)")
                  .bind(1, text)
                  .bind(2, std::int64_t{1} << 60)
                  .bind(3, blob)
                  .run(),
              1);
    ASSERT_EQ(database->statement("INSERT INTO things VALUES(?, ?, ?)")
                  .bind(1, "empty")
                  .bind_null(2)
                  .bind(3, base::Bytes{})
                  .run(),
              1);
    auto row = database->statement("SELECT id, n, b FROM things ORDER BY rowid");
    ASSERT_TRUE(row.step().value());
    EXPECT_EQ(row.text(0), text);
    EXPECT_EQ(row.integer(1), std::int64_t{1} << 60);
    EXPECT_EQ(row.blob(2), blob);
    ASSERT_TRUE(row.step().value());
    EXPECT_TRUE(row.is_null(1));
    EXPECT_FALSE(row.is_null(2));
    EXPECT_TRUE(row.blob(2).empty());
    EXPECT_FALSE(row.step().value());
}

TEST_F(DatabaseFile, LendsTheSameTextTwiceAtATime) {
    const auto database = open(first);
    for (const auto* id : {"a", "b"})
        ASSERT_TRUE(database->statement("INSERT INTO things(id) VALUES(?)").bind(1, id).run());
    const auto* sql = "SELECT id FROM things WHERE id=?";
    auto one = database->statement(sql);
    auto two = database->statement(sql);
    one.bind(1, "a");
    two.bind(1, "b");
    ASSERT_TRUE(one.step().value());
    ASSERT_TRUE(two.step().value());
    EXPECT_EQ(one.text(0) + two.text(0), "ab");
}

TEST_F(DatabaseFile, GivesBackStatementsWithoutTheirBindings) {
    const auto database = open(first);
    const auto* sql = "SELECT ?1 IS NULL";
    {
        auto bound = database->statement(sql);
        bound.bind(1, "secret");
        ASSERT_TRUE(bound.step().value());
        EXPECT_EQ(bound.integer(0), 0);
    }
    auto fresh = database->statement(sql);
    ASSERT_TRUE(fresh.step().value());
    EXPECT_EQ(fresh.integer(0), 1);
}

TEST_F(DatabaseFile, IsMigratedFromEachOlderSchema) {
    {
        ASSERT_TRUE(open(first)->statement("INSERT INTO things(id) VALUES('kept')").run());
    }
    const auto database = open(both);
    auto row = database->statement("SELECT id, colour FROM things");
    ASSERT_TRUE(row.step().value());
    EXPECT_EQ(row.text(0), "kept");
    EXPECT_TRUE(row.is_null(1));
}

TEST_F(DatabaseFile, IsLeftAloneWhereItsSchemaIsNewer) {
    {
        open(both);
    }
    for (const auto access : {Database::Access::read_write, Database::Access::read_only}) {
        const auto opened = Database::open(file, access, first);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, base::Code::unsupported);
        EXPECT_NE(opened.error().reason.find("schema 2"), std::string::npos) << opened.error().text();
    }
}

TEST_F(DatabaseFile, StaysAsItWasWhereAMigrationFails) {
    {
        open(first);
    }
    const Migration bad[] = {first[0], {2, "half", "CREATE TABLE half(x); CREATE TABLE things(y)"}};
    const auto opened = Database::open(file, Database::Access::read_write, bad);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().reason.find("migration 2"), std::string::npos);
    auto row = open(first)->statement("SELECT count(*) FROM sqlite_schema WHERE name='half'");
    ASSERT_TRUE(row.step().value());
    EXPECT_EQ(row.integer(0), 0);
}

TEST_F(DatabaseFile, RollsBackWhatFailsOrThrows) {
    const auto database = open(first);
    const auto insert = [&](const char* id) {
        return database->statement("INSERT INTO things(id) VALUES(?)").bind(1, id).run();
    };
    EXPECT_FALSE(database->transaction([&]() -> base::Status {
        EXPECT_TRUE(insert("a"));
        return base::fail(base::Code::invalid_argument, "thing", "will not do");
    }));
    EXPECT_THROW((void)database->transaction([&]() -> base::Status {
        EXPECT_TRUE(insert("b"));
        throw std::logic_error("bug");
    }),
                 std::logic_error);
    EXPECT_FALSE(database->in_transaction());
    EXPECT_EQ(count(*database), 0);
    EXPECT_TRUE(database->transaction([&]() -> base::Status {
        EXPECT_TRUE(insert("c"));
        return {};
    }));
    EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseFile, SaysWhenARowIsThereAlready) {
    const auto database = open(first);
    ASSERT_TRUE(database->statement("INSERT INTO things(id) VALUES('a')").run());
    const auto again = database->statement("INSERT INTO things(id) VALUES('a')").run();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, base::Code::already_exists);
}

TEST_F(DatabaseFile, IsReadWhileItIsWritten) {
    const auto writer = open(first);
    const auto reader = open(first, Database::Access::read_only);
    EXPECT_EQ(count(*reader), 0);
    ASSERT_TRUE(writer->statement("INSERT INTO things(id) VALUES('a')").run());
    EXPECT_EQ(count(*reader), 1);
    EXPECT_EQ(reader->statement("DELETE FROM things").run().error().code, base::Code::permission_denied);
}

TEST_F(DatabaseFile, IsRefusedWhereItIsNoDatabase) {
    ASSERT_TRUE(base::write_atomically(file, std::string_view("this is no database at all, but text"), 0600));
    const auto opened = Database::open(file, Database::Access::read_write, first);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::io);
    EXPECT_NE(opened.error().text().find(file.string()), std::string::npos);
}

TEST_F(DatabaseFile, IsNotMadeInAMissingDirectory) {
    const auto opened = Database::open(directory / "missing/hub.db", Database::Access::read_write, first);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::not_found);
}

}  // namespace
