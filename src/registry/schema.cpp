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

constexpr store::Migration all[] = {
    {1, "devices and modules", devices_and_modules},
    {2, "policies and CA certificates", policies_and_certificates},
    {3, "changes", changes},
    {4, "verification codes of CA certificates", verification_codes},
};

}  // namespace

std::span<const store::Migration> migrations() {
    return all;
}

}  // namespace registry
