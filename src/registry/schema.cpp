// SPDX-License-Identifier: Apache-2.0
#include "registry/schema.hpp"

namespace registry {
namespace {

// A step that has been released is never edited: the next one changes what it made.
constexpr std::string_view devices_and_modules = R"(
CREATE TABLE devices(
    id TEXT PRIMARY KEY,
    generation TEXT NOT NULL,
    etag TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    status_reason TEXT NOT NULL,
    status_updated INTEGER NOT NULL,
    auth_type TEXT NOT NULL,
    primary_key TEXT NOT NULL,
    secondary_key TEXT NOT NULL,
    primary_thumbprint BLOB,
    secondary_thumbprint BLOB,
    edge INTEGER NOT NULL,
    device_scope TEXT NOT NULL,
    parent_scope TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_parent ON devices(parent_scope, id);
CREATE UNIQUE INDEX devices_by_own_scope ON devices(device_scope) WHERE edge = 1;
CREATE TABLE modules(
    device TEXT NOT NULL REFERENCES devices(id),
    id TEXT NOT NULL,
    generation TEXT NOT NULL,
    etag TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    auth_type TEXT NOT NULL,
    primary_key TEXT NOT NULL,
    secondary_key TEXT NOT NULL,
    primary_thumbprint BLOB,
    secondary_thumbprint BLOB,
    PRIMARY KEY(device, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)";

constexpr std::string_view policies_and_certificates = R"(
CREATE TABLE policies(
    name TEXT PRIMARY KEY,
    rights INTEGER NOT NULL,
    primary_key TEXT NOT NULL,
    secondary_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ca_certificates(
    name TEXT PRIMARY KEY,
    der BLOB NOT NULL,
    verified INTEGER NOT NULL,
    etag TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)";

// AUTOINCREMENT, so that the number of a change that was dropped never comes again.
constexpr std::string_view changes = R"(
CREATE TABLE changes(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    certificates INTEGER NOT NULL,
    scopes TEXT NOT NULL
) STRICT;
)";

// Empty: no code is open.
constexpr std::string_view verification_codes = R"(
ALTER TABLE ca_certificates ADD COLUMN verification_code TEXT NOT NULL DEFAULT '';
)";

// With a rowid: a twin may have 100 KB and more, which the inner pages of a table without one would hold.
// Those that are there already begin with the moment of their generation, which is .NET ticks.
constexpr std::string_view twins = R"(
CREATE TABLE twins(
    device TEXT NOT NULL REFERENCES devices(id),
    module TEXT NOT NULL,
    generation TEXT NOT NULL,
    counter INTEGER NOT NULL,
    version INTEGER NOT NULL,
    model_id TEXT NOT NULL,
    tags TEXT NOT NULL,
    desired TEXT NOT NULL,
    desired_metadata TEXT NOT NULL,
    desired_version INTEGER NOT NULL,
    reported TEXT NOT NULL,
    reported_metadata TEXT NOT NULL,
    reported_version INTEGER NOT NULL,
    PRIMARY KEY(device, module)
) STRICT;
INSERT INTO twins
    SELECT device, module, generation, 1, 2, '', '{}', '{}', made, 1, '{}', made, 1 FROM (
        SELECT device, module, generation,
            '{"$lastUpdated":"' || strftime('%Y-%m-%dT%H:%M:%S', CAST(generation AS INTEGER) / 10000000
            - 62135596800, 'unixepoch') || '.0000000Z"}' AS made
        FROM (SELECT id AS device, '' AS module, generation FROM devices
            UNION ALL SELECT device, id, generation FROM modules));
)";

// Kept by triggers: counting a million rows at each question would take longer than writing them.
constexpr std::string_view counts = R"(
INSERT INTO counters(name, value) VALUES('devices', (SELECT count(*) FROM devices));
INSERT INTO counters(name, value) VALUES('disabled_devices', (SELECT count(*) FROM devices WHERE enabled = 0));
INSERT INTO counters(name, value) VALUES('modules', (SELECT count(*) FROM modules));
CREATE TRIGGER device_added AFTER INSERT ON devices BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'devices';
    UPDATE counters SET value = value + 1 WHERE name = 'disabled_devices' AND new.enabled = 0;
END;
CREATE TRIGGER device_removed AFTER DELETE ON devices BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'devices';
    UPDATE counters SET value = value - 1 WHERE name = 'disabled_devices' AND old.enabled = 0;
END;
CREATE TRIGGER device_switched AFTER UPDATE OF enabled ON devices WHEN old.enabled <> new.enabled BEGIN
    UPDATE counters SET value = value + old.enabled - new.enabled WHERE name = 'disabled_devices';
END;
CREATE TRIGGER module_added AFTER INSERT ON modules BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'modules';
END;
CREATE TRIGGER module_removed AFTER DELETE ON modules BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'modules';
END;
)";

// `document` is what does not change with time: everything but the etag and the metrics' results.
constexpr std::string_view configurations = R"(
CREATE TABLE configurations(
    id TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)";

constexpr store::Migration all[] = {
    {1, "devices and modules", devices_and_modules},
    {2, "policies and CA certificates", policies_and_certificates},
    {3, "changes", changes},
    {4, "verification codes of CA certificates", verification_codes},
    {5, "twins", twins},
    {6, "counts of identities", counts},
    {7, "configurations", configurations},
};

}  // namespace

std::span<const store::Migration> migrations() {
    return all;
}

}  // namespace registry
