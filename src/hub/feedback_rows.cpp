// SPDX-License-Identifier: Apache-2.0
#include "hub/feedback_rows.hpp"

#include "base/result.hpp"
#include "pki/digest.hpp"
#include "store/row_reading.hpp"

namespace hub::feedback_rows {

namespace {

constexpr std::int64_t most_abandoned = 10;
/// As long as the longest life of a message: where nobody reads, the disk does not fill.
constexpr std::chrono::hours longest_life{48};

base::Status make_batch(store::Database& database, azure::Millis now) {
    auto batch = database.statement("INSERT INTO batches(made) VALUES(?)");
    batch.bind(1, store::milliseconds(now));
    if (auto ran = store::done(batch.run()); !ran) return ran;
    auto records = database.statement(
        "UPDATE feedback SET batch=? WHERE id IN (SELECT id FROM feedback WHERE batch IS NULL ORDER BY id "
        "LIMIT ?)");
    records.bind(1, database.last_insert_id())
        .bind(2, static_cast<std::int64_t>(azure::most_feedback_records));
    return store::done(records.run());
}

base::Result<bool> is_full_or_late(store::Database& database, azure::Millis now) {
    auto row = database.statement("SELECT count(*), ifnull(min(at), 0) FROM feedback WHERE batch IS NULL");
    SP_TRY(return, const bool there, row.step());
    if (!there || row.integer(0) == 0) return false;
    return row.integer(0) >= static_cast<std::int64_t>(azure::most_feedback_records) ||
           row.integer(1) <= store::milliseconds(now - azure::feedback_delay);
}

}  // namespace

base::Status add(store::Database& database, const azure::FeedbackRecord& record) {
    auto row = database.statement("INSERT INTO feedback(at, record) VALUES(?, ?)");
    row.bind(1, store::milliseconds(record.at)).bind(2, azure::to_json(record));
    return store::done(row.run());
}

base::Result<bool> is_there(store::Database& database) {
    auto row = database.statement("SELECT EXISTS(SELECT 1 FROM feedback)");
    SP_TRY(return, const bool there, row.step());
    return there && row.integer(0) != 0;
}

base::Result<bool> gather(store::Database& database, azure::Millis now) {
    for (;;) {
        SP_TRY(return, const bool due, is_full_or_late(database, now));
        if (!due) break;
        if (auto made = make_batch(database, now); !made) return std::unexpected(std::move(made).error());
    }
    auto old = database.statement("DELETE FROM batches WHERE made<=?");
    old.bind(1, store::milliseconds(now - longest_life));
    if (auto ran = old.run(); !ran) return std::unexpected(std::move(ran).error());
    auto row = database.statement(
        "SELECT EXISTS(SELECT 1 FROM batches WHERE lock_token IS NULL OR locked_until<=?)");
    SP_TRY(return, const bool there, row.bind(1, store::milliseconds(now)).step());
    return there && row.integer(0) != 0;
}

base::Result<std::optional<Batch>> take(store::Database& database, azure::Millis now, azure::Millis until) {
    Batch batch;
    std::int64_t id = 0;
    {
        auto row = database.statement(
            "SELECT id, made FROM batches WHERE lock_token IS NULL OR locked_until<=? ORDER BY id LIMIT 1");
        SP_TRY(return, const bool there, row.bind(1, store::milliseconds(now)).step());
        if (!there) return std::nullopt;
        id = row.integer(0);
        batch.made = store::moment(row.integer(1));
    }
    batch.lock_token = pki::random_uuid();
    auto lock = database.statement("UPDATE batches SET lock_token=?, locked_until=? WHERE id=?");
    lock.bind(1, batch.lock_token).bind(2, store::milliseconds(until)).bind(3, id);
    if (auto ran = lock.run(); !ran) return std::unexpected(std::move(ran).error());
    auto records = database.statement("SELECT record FROM feedback WHERE batch=? ORDER BY id");
    records.bind(1, id);
    batch.json += '[';
    for (;;) {
        SP_TRY(return, const bool there, records.step());
        if (!there) break;
        if (batch.json.size() > 1) batch.json += ',';
        batch.json += records.text(0);
    }
    batch.json += ']';
    return batch;
}

base::Status settle(store::Database& database, const std::string& lock_token, Settlement how,
                    azure::Millis now) {
    std::int64_t id = 0;
    std::int64_t abandoned = 0;
    {
        auto row =
            database.statement("SELECT id, abandoned FROM batches WHERE lock_token=? AND locked_until>?");
        SP_TRY(return, const bool there, row.bind(1, lock_token).bind(2, store::milliseconds(now)).step());
        if (!there) {
            return base::fail(base::Code::precondition_failed, "lock " + lock_token,
                              "is not held, or no longer", "receive the feedback again");
        }
        id = row.integer(0);
        abandoned = row.integer(1) + 1;
    }
    if (how == Settlement::complete || abandoned >= most_abandoned) {
        auto removal = database.statement("DELETE FROM batches WHERE id=?");
        removal.bind(1, id);
        return store::done(removal.run());
    }
    auto row =
        database.statement("UPDATE batches SET abandoned=?, lock_token=NULL, locked_until=NULL WHERE id=?");
    row.bind(1, abandoned).bind(2, id);
    return store::done(row.run());
}

}  // namespace hub::feedback_rows
