// SPDX-License-Identifier: Apache-2.0
#include "hub/explanations.hpp"

#include <array>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "hub/tracking.hpp"
#include "store/row_reading.hpp"

namespace hub {

namespace {

using Documents = Explanations::Documents;

/// About 2 MB of memory at the worst.
constexpr std::size_t most_unwritten = 1024;
constexpr std::size_t longest_id = 128;
/// How many may be written before old ones are removed.
constexpr std::size_t purge_after = 256;

constexpr std::array explanation_schema{store::Migration{
    1, "explanations of refusals",
    "CREATE TABLE explanations(number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
    " time INTEGER NOT NULL, device TEXT NOT NULL, document TEXT NOT NULL) STRICT;"
    "CREATE INDEX explanations_by_time ON explanations(time);"
    "CREATE INDEX explanations_by_device ON explanations(device, number);"}};

base::Status insert(store::Database& database, const Explanation& explanation) {
    auto row = database.statement(
        "INSERT INTO explanations(key, time, device, document) VALUES(?, ?, ?, ?) ON CONFLICT(key) DO "
        "NOTHING");
    row.bind(1, tracking_key(explanation.tracking).value_or(explanation.tracking));
    row.bind(2, store::seconds(explanation.when));
    // No id is longer; who claims one that is cannot be asked for.
    row.bind(3, std::string_view(explanation.identity.device).substr(0, longest_id))
        .bind(4, to_json(explanation));
    return store::done(row.run());
}

base::Status purge(store::Database& database, const ExplainLimits& keep, base::Instant now) {
    auto many = database.statement(
        "DELETE FROM explanations WHERE number <= (SELECT max(number) FROM explanations) - ?");
    if (auto ran = many.bind(1, static_cast<std::int64_t>(keep.count)).run(); !ran)
        return std::unexpected(ran.error());
    auto old = database.statement("DELETE FROM explanations WHERE time < ?");
    return store::done(old.bind(1, store::seconds(now - keep.age)).run());
}

Documents documents(store::Statement& query) {
    return store::collect<std::string>(
        query, [](store::Statement& row) -> base::Result<std::string> { return row.text(0); });
}

Documents select(store::Database& database, const std::string& key) {
    auto query = database.statement("SELECT document FROM explanations WHERE key = ?");
    query.bind(1, key);
    return documents(query);
}

Documents select_newest(store::Database& database, const std::string& device, std::size_t most) {
    auto query =
        database.statement("SELECT document FROM explanations WHERE device = ? ORDER BY number DESC LIMIT ?");
    query.bind(1, device).bind(2, static_cast<std::int64_t>(most));
    return documents(query);
}

base::Result<std::unique_ptr<store::Database>> open_to_read(const std::filesystem::path& file) {
    return store::Database::open(file, store::Database::Access::read_only, explanation_schema);
}

}  // namespace

base::Result<std::unique_ptr<Explanations>> Explanations::open(const std::filesystem::path& file,
                                                               ExplainLimits keep, const base::Clock& clock) {
    SP_TRY(return, auto database,
                 store::Database::open(file, store::Database::Access::read_write, explanation_schema));
    // What is told here is no promise: a flood of refusals must not make the disk slow for messages.
    {
        auto pragma = database->statement("PRAGMA synchronous = NORMAL");
        if (auto ran = pragma.step(); !ran) return std::unexpected(ran.error());
    }
    // On a full disk it may fail; the hub serves all the same.
    if (auto purged = purge(*database, keep, clock.now()); !purged)
        base::log::error(base::events::store_failed, purged.error());
    std::unique_ptr<Explanations> made(new Explanations(keep, clock));
    made->writer_ = std::make_unique<store::Writer>(std::move(database));
    return made;
}

void Explanations::add(Explanation explanation) {
    if (waiting_.fetch_add(1) >= most_unwritten) {
        --waiting_;
        ++dropped_;
        return;
    }
    const auto shared = std::make_shared<const Explanation>(std::move(explanation));
    auto work = [this, shared](store::Database& database) -> base::Status {
        if (auto inserted = insert(database, *shared); !inserted) return inserted;
        if (++unpurged_ < purge_after) return {};
        unpurged_ = 0;
        return purge(database, keep_, clock_.now());
    };
    writer_->submit(std::move(work), [this](const base::Status& status) { written(status); });
}

void Explanations::written(const base::Status& status) {
    if (!status) base::log::error(base::events::store_failed, status.error());
    if (--waiting_ > 0) return;
    if (const auto dropped = dropped_.load(); dropped != told_) {
        base::log::warning(base::events::explanations_dropped,
                           {{"count", std::to_string(dropped - std::exchange(told_, dropped))},
                            {"reason", "more was refused than the disk could take"}});
    }
}

void Explanations::ask(std::function<Documents(store::Database&)> question,
                       std::function<void(Documents)> done) {
    const auto answer = std::make_shared<Documents>();
    auto work = [question = std::move(question), answer](store::Database& database) -> base::Status {
        *answer = question(database);
        return {};
    };
    writer_->submit(std::move(work), [answer, done = std::move(done)](const base::Status& status) {
        done(status ? std::move(*answer) : Documents(std::unexpected(status.error())));
    });
}

void Explanations::find(std::string key, std::function<void(Documents)> done) {
    ask([key = std::move(key)](store::Database& database) { return select(database, key); }, std::move(done));
}

void Explanations::newest(std::string device, std::size_t most, std::function<void(Documents)> done) {
    ask([device = std::move(device),
         most](store::Database& database) { return select_newest(database, device, most); },
        std::move(done));
}

Documents Explanations::find_in(const std::filesystem::path& file, const std::string& key) {
    SP_TRY(return, const auto database, open_to_read(file));
    return select(*database, key);
}

Documents Explanations::newest_in(const std::filesystem::path& file, const std::string& device,
                                  std::size_t most) {
    SP_TRY(return, const auto database, open_to_read(file));
    return select_newest(*database, device, most);
}

}  // namespace hub
