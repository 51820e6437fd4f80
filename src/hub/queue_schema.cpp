// SPDX-License-Identifier: Apache-2.0
#include "hub/queue_schema.hpp"

#include <array>

namespace hub {

namespace {

// Moments are milliseconds since 1970. A lock of a session has a holder and no end, one of an HTTPS request
// an end and no holder. A step that has been released is never edited: the next one changes what it made.
constexpr std::string_view messages_and_feedback = R"(
CREATE TABLE sequences(
    device TEXT PRIMARY KEY,
    generation TEXT NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE messages(
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    generation TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    enqueued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ack INTEGER NOT NULL,
    event BLOB NOT NULL,
    abandoned INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0,
    lock_token TEXT,
    locked_until INTEGER,
    holder INTEGER
) STRICT;
CREATE UNIQUE INDEX messages_by_device ON messages(device, generation, sequence);
CREATE INDEX messages_by_expiry ON messages(expires);
CREATE INDEX messages_by_lock ON messages(locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX messages_by_holder ON messages(holder) WHERE holder IS NOT NULL;
CREATE TABLE batches(
    id INTEGER PRIMARY KEY,
    made INTEGER NOT NULL,
    abandoned INTEGER NOT NULL DEFAULT 0,
    lock_token TEXT,
    locked_until INTEGER
) STRICT;
CREATE TABLE feedback(
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    batch INTEGER REFERENCES batches(id) ON DELETE CASCADE
) STRICT;
CREATE INDEX feedback_by_batch ON feedback(batch, id);
)";

constexpr std::array queue_schema{store::Migration{1, "messages and feedback", messages_and_feedback}};

}  // namespace

std::span<const store::Migration> queue_migrations() {
    return queue_schema;
}

}  // namespace hub
