// SPDX-License-Identifier: Apache-2.0
#include "registry/rows.hpp"
#include "store/row_reading.hpp"

namespace registry::rows {

using store::collect;
using store::done;
using store::instant;
using store::only;
using store::seconds;
namespace {

#define DEVICE_COLUMNS                                                                                \
    "id, generation, etag, enabled, status_reason, status_updated, edge, device_scope, parent_scope," \
    " auth_type, primary_key, secondary_key, primary_thumbprint, secondary_thumbprint"
#define MODULE_COLUMNS                                               \
    "m.device, m.id, m.generation, m.etag, m.managed_by, d.enabled," \
    " m.auth_type, m.primary_key, m.secondary_key, m.primary_thumbprint, m.secondary_thumbprint"
#define MODULES_WITH_DEVICE " FROM modules m JOIN devices d ON d.id = m.device"

std::optional<trust::Thumbprint> thumbprint(const store::Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return trust::Thumbprint::from_bytes(row.blob(column));
}

trust::Authentication authentication(const store::Statement& row, int first) {
    trust::Authentication out;
    // The default is what authenticates nobody.
    out.type = trust::parse_auth_type(row.text(first)).value_or(trust::AuthType::none);
    out.primary_key = row.text(first + 1);
    out.secondary_key = row.text(first + 2);
    out.primary_thumbprint = thumbprint(row, first + 3);
    out.secondary_thumbprint = thumbprint(row, first + 4);
    return out;
}

trust::Enablement enablement(const store::Statement& row, int column) {
    return row.integer(column) == 1 ? trust::Enablement::enabled : trust::Enablement::disabled;
}

base::Result<azure::Device> read_device(const store::Statement& row) {
    azure::Device device;
    auto& record = device.record;
    record.identity.device = row.text(0);
    record.generation = row.text(1);
    device.etag = row.text(2);
    record.status = enablement(row, 3);
    record.device_status = record.status;
    device.status_reason = row.text(4);
    device.status_updated = instant(row.integer(5));
    record.edge_enabled = row.integer(6) == 1;
    record.device_scope = row.text(7);
    if (auto parent = row.text(8); !parent.empty()) record.parent_scopes = {std::move(parent)};
    record.authentication = authentication(row, 9);
    return device;
}

base::Result<azure::Module> read_module(const store::Statement& row) {
    azure::Module module;
    auto& record = module.record;
    record.identity = {row.text(0), row.text(1)};
    record.generation = row.text(2);
    module.etag = row.text(3);
    module.managed_by = row.text(4);
    record.device_status = enablement(row, 5);
    record.status = record.device_status;
    record.authentication = authentication(row, 6);
    return module;
}

void bind_thumbprint(store::Statement& row, int at, const std::optional<trust::Thumbprint>& thumbprint) {
    if (thumbprint)
        row.bind(at, thumbprint->bytes());
    else
        row.bind_null(at);
}

void bind(store::Statement& row, int first, const trust::Authentication& authentication) {
    row.bind(first, trust::to_string(authentication.type));
    row.bind(first + 1, authentication.primary_key);
    row.bind(first + 2, authentication.secondary_key);
    bind_thumbprint(row, first + 3, authentication.primary_thumbprint);
    bind_thumbprint(row, first + 4, authentication.secondary_thumbprint);
}

std::int64_t number(bool value) {
    return value ? 1 : 0;
}

}  // namespace

base::Result<std::optional<azure::Device>> device(store::Database& database, std::string_view id) {
    auto query = database.statement("SELECT " DEVICE_COLUMNS " FROM devices WHERE id = ?");
    return only<azure::Device>(query.bind(1, id), read_device);
}

// Behind every id: none holds a character above '~'.
constexpr std::string_view behind_all = "\x7f";

base::Result<std::vector<azure::Device>> devices(store::Database& database, std::string_view first,
                                                 std::string_view last, std::size_t most) {
    auto query = database.statement("SELECT " DEVICE_COLUMNS
                                    " FROM devices WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?");
    query.bind(1, first).bind(2, last.empty() ? behind_all : last);
    return collect<azure::Device>(query.bind(3, static_cast<std::int64_t>(most)), read_device);
}

base::Result<std::vector<azure::Device>> devices(store::Database& database, std::size_t top) {
    return devices(database, {}, {}, top);
}

base::Result<std::vector<azure::Module>> modules_behind(store::Database& database,
                                                        const trust::Identity& after, std::string_view last,
                                                        std::size_t most) {
    auto query = database.statement("SELECT " MODULE_COLUMNS MODULES_WITH_DEVICE
                                    " WHERE (m.device, m.id) > (?, ?) AND m.device <= ?"
                                    " ORDER BY m.device, m.id LIMIT ?");
    query.bind(1, after.device).bind(2, after.module).bind(3, last.empty() ? behind_all : last);
    return collect<azure::Module>(query.bind(4, static_cast<std::int64_t>(most)), read_module);
}

base::Result<Counts> counts(store::Database& database) {
    auto query = database.statement("SELECT name, value FROM counters");
    Counts counts;
    while (true) {
        SP_TRY(return, const bool there, query.step());
        if (!there) return counts;
        const auto name = query.text(0);
        const auto value = static_cast<std::uint64_t>(query.integer(1));
        if (name == "devices") counts.devices = value;
        if (name == "disabled_devices") counts.disabled_devices = value;
        if (name == "modules") counts.modules = value;
    }
}

base::Result<std::vector<azure::Device>> in_scope(store::Database& database, std::string_view edge,
                                                  std::string_view scope, std::string_view after,
                                                  std::size_t most) {
    auto query = database.statement("SELECT " DEVICE_COLUMNS
                                    " FROM devices WHERE id = ?1 AND id > ?3 UNION ALL "
                                    "SELECT " DEVICE_COLUMNS
                                    " FROM devices WHERE parent_scope = ?2 AND id > ?3 "
                                    "ORDER BY id LIMIT ?4");
    query.bind(1, edge).bind(2, scope).bind(3, after).bind(4, static_cast<std::int64_t>(most));
    return collect<azure::Device>(query, read_device);
}

base::Result<std::optional<azure::Device>> scope_owner(store::Database& database, std::string_view scope) {
    auto query =
        database.statement("SELECT " DEVICE_COLUMNS " FROM devices WHERE device_scope = ? AND edge = 1");
    return only<azure::Device>(query.bind(1, scope), read_device);
}

base::Result<std::vector<std::string>> child_edge_scopes(store::Database& database, std::string_view scope) {
    auto query = database.statement("SELECT device_scope FROM devices WHERE parent_scope = ? AND edge = 1");
    return collect<std::string>(
        query.bind(1, scope),
        [](const store::Statement& row) -> base::Result<std::string> { return row.text(0); });
}

base::Result<std::optional<azure::Module>> module(store::Database& database, const trust::Identity& id) {
    auto query =
        database.statement("SELECT " MODULE_COLUMNS MODULES_WITH_DEVICE " WHERE m.device = ? AND m.id = ?");
    return only<azure::Module>(query.bind(1, id.device).bind(2, id.module), read_module);
}

base::Result<std::vector<azure::Module>> modules(store::Database& database, std::string_view device) {
    auto query =
        database.statement("SELECT " MODULE_COLUMNS MODULES_WITH_DEVICE " WHERE m.device = ? ORDER BY m.id");
    return collect<azure::Module>(query.bind(1, device), read_module);
}

base::Result<std::int64_t> module_count(store::Database& database, std::string_view device) {
    auto query = database.statement("SELECT count(*) FROM modules WHERE device = ?");
    SP_TRY(return, const bool there, query.bind(1, device).step());
    return there ? query.integer(0) : 0;
}

base::Status put(store::Database& database, const azure::Device& device) {
    auto row = database.statement(
        "INSERT INTO devices(" DEVICE_COLUMNS
        ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"
        " ON CONFLICT(id) DO UPDATE SET etag=?3, enabled=?4, status_reason=?5, status_updated=?6, edge=?7,"
        " device_scope=?8, parent_scope=?9, auth_type=?10, primary_key=?11, secondary_key=?12,"
        " primary_thumbprint=?13, secondary_thumbprint=?14");
    const auto& record = device.record;
    row.bind(1, record.identity.device).bind(2, record.generation).bind(3, device.etag);
    row.bind(4, number(record.status == trust::Enablement::enabled)).bind(5, device.status_reason);
    row.bind(6, seconds(device.status_updated))
        .bind(7, number(record.edge_enabled))
        .bind(8, record.device_scope);
    row.bind(9, record.parent_scopes.empty() ? std::string_view()
                                             : std::string_view(record.parent_scopes.front()));
    bind(row, 10, record.authentication);
    return done(row.run());
}

base::Status put(store::Database& database, const azure::Module& module) {
    auto row = database.statement(
        "INSERT INTO modules(device, id, generation, etag, managed_by, auth_type, primary_key, secondary_key,"
        " primary_thumbprint, secondary_thumbprint) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
        " ON CONFLICT(device, id) DO UPDATE SET etag=?4, managed_by=?5, auth_type=?6, primary_key=?7,"
        " secondary_key=?8, primary_thumbprint=?9, secondary_thumbprint=?10");
    const auto& record = module.record;
    row.bind(1, record.identity.device).bind(2, record.identity.module).bind(3, record.generation);
    row.bind(4, module.etag).bind(5, module.managed_by);
    bind(row, 6, record.authentication);
    return done(row.run());
}

base::Status remove(store::Database& database, const trust::Identity& id) {
    if (auto gone = remove_twin(database, id); !gone) return gone;
    if (id.is_module()) {
        auto row = database.statement("DELETE FROM modules WHERE device = ? AND id = ?");
        return done(row.bind(1, id.device).bind(2, id.module).run());
    }
    auto row = database.statement("DELETE FROM devices WHERE id = ?");
    return done(row.bind(1, id.device).run());
}

base::Status remove_modules(store::Database& database, std::string_view device) {
    if (auto gone = remove_module_twins(database, device); !gone) return gone;
    auto rows = database.statement("DELETE FROM modules WHERE device = ?");
    return done(rows.bind(1, device).run());
}

}  // namespace registry::rows
