// SPDX-License-Identifier: Apache-2.0
#include "store/writer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>

#include "support/temporary_directory.hpp"

namespace {

using store::Database;
using store::Writer;

const store::Migration schema[] = {
    {1, "things", "CREATE TABLE things(id INTEGER PRIMARY KEY, filler BLOB) STRICT"}};

class WriterThread : public testing::Test {
  protected:
    WriterThread() : writer(std::make_unique<Writer>(open(Database::Access::read_write))) {}

    std::unique_ptr<Database> open(Database::Access access) {
        auto opened = Database::open(directory / "hub.db", access, schema);
        if (!opened) throw std::runtime_error(opened.error().text());
        return *std::move(opened);
    }
    static base::Status insert(Database& database, std::int64_t id, std::size_t filler = 0) {
        auto row = database.statement("INSERT INTO things VALUES(?, ?)");
        if (auto ran = row.bind(1, id).bind(2, base::Bytes(filler)).run(); !ran)
            return std::unexpected(ran.error());
        return {};
    }
    base::Status write(std::function<base::Status(Database&)> work) {
        std::promise<base::Status> done;
        writer->submit(std::move(work), [&](base::Status status) { done.set_value(std::move(status)); });
        return done.get_future().get();
    }
    std::string ids() {
        std::string out;
        const auto reader = open(Database::Access::read_only);
        auto rows = reader->statement("SELECT id FROM things ORDER BY id");
        while (rows.step().value()) out += std::to_string(rows.integer(0)) + " ";
        return out;
    }
    /// Keeps the thread busy until it is let go, so that what is submitted meanwhile becomes one group.
    std::promise<void> hold() {
        std::promise<void> go;
        std::promise<void> reached;
        writer->submit(
            [wait = std::make_shared<std::future<void>>(go.get_future()),
             &reached](Database&) -> base::Status {
                reached.set_value();
                wait->wait();
                return {};
            },
            {});
        reached.get_future().wait();
        return go;
    }

    support::TemporaryDirectory directory;
    std::unique_ptr<Writer> writer;
};

TEST_F(WriterThread, AnswersWhenTheWriteIsThereForOthers) {
    ASSERT_TRUE(write([](Database& database) { return insert(database, 1); }));
    EXPECT_EQ(ids(), "1 ");
}

TEST_F(WriterThread, CommitsWhatWaitsTogetherAndUndoesAFailureAlone) {
    std::vector<std::string> answers;
    std::string seen_by_first;
    auto go = hold();
    for (const int id : {1, 2, 1, 3})
        writer->submit([id](Database& database) { return insert(database, id); },
                       [&, id](base::Status status) {
                           if (answers.empty()) seen_by_first = ids();
                           answers.push_back(std::to_string(id) + (status ? "" : "!"));
                       });
    writer->submit(
        [](Database& database) -> base::Status {
            EXPECT_TRUE(insert(database, 7));
            return base::fail(base::Code::invalid_argument, "thing", "will not do");
        },
        [&](base::Status status) { answers.push_back(status ? "7" : "7!"); });
    go.set_value();
    writer.reset();
    EXPECT_EQ(answers, (std::vector<std::string>{"1", "2", "1!", "3", "7!"}));
    EXPECT_EQ(seen_by_first, "1 2 3 ") << "the group is committed as one";
    EXPECT_EQ(ids(), "1 2 3 ");
}

TEST_F(WriterThread, FailsAloneWhatThrows) {
    const auto thrown = write([](Database& database) -> base::Status {
        EXPECT_TRUE(insert(database, 1));
        throw std::logic_error("a bug");
    });
    ASSERT_FALSE(thrown);
    EXPECT_EQ(thrown.error().code, base::Code::internal);
    EXPECT_TRUE(write([](Database& database) { return insert(database, 2); }));
    EXPECT_EQ(ids(), "2 ");
}

TEST_F(WriterThread, TellsAFullDiskAndWritesAgainWhenThereIsSpace) {
    const auto limit_pages = [&](const char* pragma) {
        ASSERT_TRUE(writer);
        writer->submit(
            [pragma](Database& database) -> base::Status {
                auto limit = database.statement(pragma);
                EXPECT_TRUE(limit.step());
                return {};
            },
            {});
    };
    limit_pages("PRAGMA max_page_count=10");
    const auto full = write([](Database& database) { return insert(database, 1, 1 << 20); });
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, base::Code::disk_full);
    EXPECT_EQ(ids(), "");
    limit_pages("PRAGMA max_page_count=10000");
    EXPECT_TRUE(write([](Database& database) { return insert(database, 2, 1 << 20); }));
    EXPECT_EQ(ids(), "2 ");
}

TEST_F(WriterThread, NeverAnswersYesForAGroupThatAFullDiskTookAway) {
    std::vector<bool> answers;
    writer->submit(
        [](Database& database) -> base::Status {
            auto limit = database.statement("PRAGMA max_page_count=10");
            EXPECT_TRUE(limit.step());
            return {};
        },
        {});
    auto go = hold();
    for (int id = 1; id <= 3; ++id)
        writer->submit([id](Database& database) { return insert(database, id, id == 2 ? 1 << 20 : 0); },
                       [&](base::Status status) { answers.push_back(status.has_value()); });
    go.set_value();
    writer.reset();
    std::string acknowledged;
    for (std::size_t i = 0; i < answers.size(); ++i)
        if (answers[i]) acknowledged += std::to_string(i + 1) + " ";
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_FALSE(answers[1]);
    EXPECT_EQ(ids(), acknowledged);
}

TEST_F(WriterThread, FinishesWhatWasSubmittedBeforeItEnds) {
    std::atomic<int> done = 0;
    for (int id = 0; id < 2000; ++id)
        writer->submit([id](Database& database) { return insert(database, id); },
                       [&](base::Status status) { done += status ? 1 : 0; });
    writer.reset();
    EXPECT_EQ(done, 2000);
}

}  // namespace
