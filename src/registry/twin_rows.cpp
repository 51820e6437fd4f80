// SPDX-License-Identifier: Apache-2.0
#include "azure/json_text.hpp"
#include "registry/rows.hpp"
#include "store/row_reading.hpp"

namespace registry::rows {

using store::done;
using store::only;
namespace {

namespace json = boost::json;

#define TWIN_COLUMNS                                                                             \
    "generation, counter, version, model_id, tags, desired, desired_metadata, desired_version, " \
    "reported, reported_metadata, reported_version"

base::Result<json::object> object_in(const store::Statement& row, int column) {
    auto value = azure::parse_json(row.text(column));
    if (value && value->is_object()) return std::move(value->get_object());
    return base::fail(base::Code::internal, "twin in the registry", "holds what is no JSON object",
                      "restore the registry from a backup");
}

base::Result<azure::TwinProperties> properties_in(const store::Statement& row, int first) {
    azure::TwinProperties out;
    SP_TRY(return, out.values, object_in(row, first));
    SP_TRY(return, out.metadata, object_in(row, first + 1));
    out.version = row.integer(first + 2);
    return out;
}

base::Result<azure::Twin> read_twin(const store::Statement& row) {
    azure::Twin twin;
    twin.generation = row.text(0);
    twin.counter = static_cast<std::uint64_t>(row.integer(1));
    twin.version = row.integer(2);
    twin.model_id = row.text(3);
    SP_TRY(return, twin.tags, object_in(row, 4));
    SP_TRY(return, twin.desired, properties_in(row, 5));
    SP_TRY(return, twin.reported, properties_in(row, 8));
    return twin;
}

void bind(store::Statement& row, int first, const azure::TwinProperties& properties) {
    row.bind(first, azure::json_text(properties.values));
    row.bind(first + 1, azure::json_text(properties.metadata));
    row.bind(first + 2, properties.version);
}

}  // namespace

base::Result<std::optional<azure::Twin>> twin(store::Database& database, const trust::Identity& id) {
    auto query = database.statement("SELECT " TWIN_COLUMNS " FROM twins WHERE device = ? AND module = ?");
    return only<azure::Twin>(query.bind(1, id.device).bind(2, id.module), read_twin);
}

base::Result<std::optional<std::string>> model_id(store::Database& database, const trust::Identity& id) {
    auto query = database.statement("SELECT model_id FROM twins WHERE device = ? AND module = ?");
    return only<std::string>(
        query.bind(1, id.device).bind(2, id.module),
        [](const store::Statement& row) -> base::Result<std::string> { return row.text(0); });
}

base::Status put(store::Database& database, const trust::Identity& id, const azure::Twin& twin) {
    auto row = database.statement(
        "INSERT INTO twins(device, module, " TWIN_COLUMNS
        ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"
        " ON CONFLICT(device, module) DO UPDATE SET generation=?3, counter=?4, version=?5, model_id=?6,"
        " tags=?7, desired=?8, desired_metadata=?9, desired_version=?10, reported=?11, reported_metadata=?12,"
        " reported_version=?13");
    row.bind(1, id.device).bind(2, id.module).bind(3, twin.generation);
    row.bind(4, static_cast<std::int64_t>(twin.counter)).bind(5, twin.version).bind(6, twin.model_id);
    row.bind(7, azure::json_text(twin.tags));
    bind(row, 8, twin.desired);
    bind(row, 11, twin.reported);
    return done(row.run());
}

base::Status put_reported(store::Database& database, const trust::Identity& id,
                          const azure::TwinProperties& reported) {
    auto row = database.statement(
        "UPDATE twins SET reported=?3, reported_metadata=?4, reported_version=?5 WHERE device=?1 AND "
        "module=?2");
    row.bind(1, id.device).bind(2, id.module);
    bind(row, 3, reported);
    return done(row.run());
}

base::Status put_model_id(store::Database& database, const trust::Identity& id, std::string_view model) {
    auto row = database.statement("UPDATE twins SET model_id=?3 WHERE device=?1 AND module=?2");
    return done(row.bind(1, id.device).bind(2, id.module).bind(3, model).run());
}

base::Status remove_twin(store::Database& database, const trust::Identity& id) {
    auto row = database.statement("DELETE FROM twins WHERE device = ? AND module = ?");
    return done(row.bind(1, id.device).bind(2, id.module).run());
}

base::Status remove_module_twins(store::Database& database, std::string_view device) {
    auto row = database.statement("DELETE FROM twins WHERE device = ? AND module <> ''");
    return done(row.bind(1, device).run());
}

}  // namespace registry::rows
