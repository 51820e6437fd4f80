// SPDX-License-Identifier: Apache-2.0
#include "hub/queue_rows.hpp"

#include <utility>

#include "base/result.hpp"
#include "hub/feedback_rows.hpp"
#include "pki/digest.hpp"
#include "store/row_reading.hpp"

namespace hub::queue_rows {

namespace {

constexpr std::int64_t most_waiting = 50;
/// Of one sweep: the writer has others to serve.
constexpr std::int64_t most_expired = 500;

/// What the end of a message needs to know of it.
struct Ending {
    std::int64_t id = 0;
    Address address;
    azure::Ack ack = azure::Ack::none;
    azure::CloudMessage message;
};
constexpr std::string_view ending_columns = "id, device, generation, ack, event";

base::Result<Ending> read_ending(const store::Statement& row) {
    Ending ending;
    ending.id = row.integer(0);
    ending.address = {row.text(1), row.text(2)};
    ending.ack = static_cast<azure::Ack>(row.integer(3));
    SP_TRY(return, auto event, azure::decode_event(row.blob(4)));
    ending.message.message = std::move(event.message);
    return ending;
}

base::Status end(store::Database& database, const Ending& ending, azure::Outcome outcome, azure::Millis now,
                 Effects& effects) {
    auto removal = database.statement("DELETE FROM messages WHERE id=?");
    removal.bind(1, ending.id);
    if (auto ran = store::done(removal.run()); !ran) return ran;
    effects.changed.push_back(ending.address.device);
    if (!azure::is_wanted(ending.ack, outcome)) return {};
    effects.feedback_added = true;
    return feedback_rows::add(
        database, {ending.message.id(), now, outcome, ending.address.device, ending.address.generation});
}

std::string select(std::string_view columns, std::string_view rest) {
    return "SELECT " + std::string(columns) + " FROM messages " + std::string(rest);
}

base::Result<std::uint64_t> next_sequence(store::Database& database, const Address& to) {
    auto row = database.statement(
        "INSERT INTO sequences(device, generation, last) VALUES(?1, ?2, 1) ON CONFLICT(device) DO UPDATE SET "
        "last=CASE WHEN generation=?2 THEN last+1 ELSE 1 END, generation=?2 RETURNING last");
    SP_TRY(return, const bool there, row.bind(1, to.device).bind(2, to.generation).step());
    const auto last = there ? row.integer(0) : 0;
    if (auto done = row.step(); !done) return std::unexpected(std::move(done).error());
    return static_cast<std::uint64_t>(last);
}

}  // namespace

base::Result<std::size_t> count(store::Database& database, const std::string& device) {
    auto row = database.statement("SELECT count(*) FROM messages WHERE device=?");
    SP_TRY(return, const bool there, row.bind(1, device).step());
    return there ? static_cast<std::size_t>(row.integer(0)) : 0;
}

base::Result<std::uint64_t> add(store::Database& database, const Address& to,
                                const azure::CloudMessage& message, azure::Millis now, Effects& effects) {
    auto waiting = database.statement("SELECT count(*) FROM messages WHERE device=? AND generation=?");
    SP_TRY(return, const bool there, waiting.bind(1, to.device).bind(2, to.generation).step());
    if (there && waiting.integer(0) >= most_waiting) {
        return base::fail(base::Code::rate_limited, "device " + to.device,
                          "has " + std::to_string(most_waiting) + " messages waiting already",
                          "let it receive some, or purge its queue");
    }
    SP_TRY(return, const auto sequence, next_sequence(database, to));
    azure::Event event;
    event.origin.device = to.device;
    event.message = message.message;
    const auto bytes = azure::encode_event(event);
    auto row = database.statement(
        "INSERT INTO messages(device, generation, sequence, enqueued, expires, ack, event) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)");
    row.bind(1, to.device)
        .bind(2, to.generation)
        .bind(3, static_cast<std::int64_t>(sequence))
        .bind(4, store::milliseconds(now))
        .bind(5, store::milliseconds(message.expiry.value_or(now)))
        .bind(6, static_cast<std::int64_t>(message.ack))
        .bind(7, bytes);
    if (auto ran = row.run(); !ran) return std::unexpected(std::move(ran).error());
    effects.changed.push_back(to.device);
    effects.ready.push_back(to.device);
    return sequence;
}

base::Result<std::vector<Held>> take(store::Database& database, const Address& from, const Taker& taker,
                                     std::size_t most, azure::Millis now) {
    std::vector<Held> taken;
    std::vector<std::int64_t> ids;
    {
        auto rows = database.statement(
            "SELECT id, sequence, enqueued, expires, ack, event, abandoned, sent FROM messages "
            "WHERE device=?1 AND generation=?2 AND expires>?3 AND (lock_token IS NULL OR locked_until<=?3 "
            "OR (?4<>0 AND holder IS NOT NULL AND holder<>?4)) ORDER BY sequence LIMIT ?5");
        rows.bind(1, from.device)
            .bind(2, from.generation)
            .bind(3, store::milliseconds(now))
            .bind(4, taker.holder)
            .bind(5, static_cast<std::int64_t>(most));
        for (;;) {
            SP_TRY(return, const bool there, rows.step());
            if (!there) break;
            Held held;
            held.lock_token = pki::random_uuid();
            held.delivery.sequence = static_cast<std::uint64_t>(rows.integer(1));
            held.delivery.enqueued = store::moment(rows.integer(2));
            held.delivery.message.expiry = store::moment(rows.integer(3));
            held.delivery.message.ack = static_cast<azure::Ack>(rows.integer(4));
            SP_TRY(return, auto event, azure::decode_event(rows.blob(5)));
            held.delivery.message.message = std::move(event.message);
            held.delivery.abandoned = static_cast<int>(rows.integer(6));
            held.sent_before = rows.integer(7) != 0;
            ids.push_back(rows.integer(0));
            taken.push_back(std::move(held));
        }
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        auto row = database.statement(
            "UPDATE messages SET lock_token=?, locked_until=?, holder=?, sent=1 WHERE id=?");
        row.bind(1, taken[i].lock_token).bind(4, ids[i]);
        if (taker.holder != 0)
            row.bind_null(2).bind(3, taker.holder);
        else
            row.bind(2, store::milliseconds(taker.until)).bind_null(3);
        if (auto ran = row.run(); !ran) return std::unexpected(std::move(ran).error());
    }
    return taken;
}

base::Status settle(store::Database& database, const std::string& device, const std::string& lock_token,
                    Settlement how, int most_abandoned, azure::Millis now, Effects& effects) {
    std::optional<Ending> found;
    std::int64_t abandoned = 0;
    {
        auto row = database.statement(
            select("id, device, generation, ack, event, abandoned",
                   "WHERE device=? AND lock_token=? AND (locked_until IS NULL OR locked_until>?)"));
        SP_TRY(return, const bool there,
                     row.bind(1, device).bind(2, lock_token).bind(3, store::milliseconds(now)).step());
        if (!there) {
            return base::fail(base::Code::precondition_failed, "lock " + lock_token,
                              "is not held, or no longer", "receive the message again");
        }
        SP_TRY(return, found, read_ending(row));
        abandoned = row.integer(5) + 1;
    }
    switch (how) {
        case Settlement::complete:
            return end(database, *found, azure::Outcome::success, now, effects);
        case Settlement::reject:
            return end(database, *found, azure::Outcome::rejected, now, effects);
        case Settlement::abandon:
            break;
    }
    if (abandoned >= most_abandoned)
        return end(database, *found, azure::Outcome::delivery_count_exceeded, now, effects);
    auto row = database.statement(
        "UPDATE messages SET abandoned=?, lock_token=NULL, locked_until=NULL, holder=NULL WHERE id=?");
    row.bind(1, abandoned).bind(2, found->id);
    effects.ready.push_back(device);
    return store::done(row.run());
}

base::Status release(store::Database& database, const std::string& device, std::int64_t holder,
                     Effects& effects) {
    auto rows = database.statement("UPDATE messages SET lock_token=NULL, holder=NULL WHERE holder=?");
    SP_TRY(return, const int released, rows.bind(1, holder).run());
    if (released > 0) effects.ready.push_back(device);
    return {};
}

base::Status release_all(store::Database& database) {
    auto rows =
        database.statement("UPDATE messages SET lock_token=NULL, holder=NULL WHERE holder IS NOT NULL");
    return store::done(rows.run());
}

base::Result<std::size_t> purge(store::Database& database, const Address& of, azure::Millis now,
                                Effects& effects) {
    std::vector<Ending> endings;
    {
        auto rows = database.statement(select(ending_columns, "WHERE device=? AND generation=?"));
        rows.bind(1, of.device).bind(2, of.generation);
        SP_TRY(return, endings, store::collect<Ending>(rows, read_ending));
    }
    for (const auto& ending : endings) {
        if (auto ended = end(database, ending, azure::Outcome::purged, now, effects); !ended)
            return std::unexpected(std::move(ended).error());
    }
    return endings.size();
}

base::Status forget(store::Database& database, const std::string& device, Effects& effects) {
    auto messages = database.statement("DELETE FROM messages WHERE device=?");
    SP_TRY(return, const int removed, messages.bind(1, device).run());
    if (removed > 0) effects.changed.push_back(device);
    auto sequence = database.statement("DELETE FROM sequences WHERE device=?");
    sequence.bind(1, device);
    return store::done(sequence.run());
}

base::Status expire(store::Database& database, azure::Millis now, Effects& effects) {
    std::vector<Ending> endings;
    {
        // What a device holds it may still complete.
        auto rows = database.statement(select(
            ending_columns,
            "WHERE expires<=?1 AND (lock_token IS NULL OR locked_until<=?1) ORDER BY expires LIMIT ?2"));
        rows.bind(1, store::milliseconds(now)).bind(2, most_expired);
        SP_TRY(return, endings, store::collect<Ending>(rows, read_ending));
    }
    for (const auto& ending : endings) {
        if (auto ended = end(database, ending, azure::Outcome::expired, now, effects); !ended) return ended;
    }
    auto rows = database.statement(
        "UPDATE messages SET lock_token=NULL, locked_until=NULL WHERE locked_until<=? RETURNING device");
    rows.bind(1, store::milliseconds(now));
    for (;;) {
        SP_TRY(return, const bool there, rows.step());
        if (!there) return {};
        effects.ready.push_back(rows.text(0));
    }
}

}  // namespace hub::queue_rows
