// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "azure/json_text.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "store/row_reading.hpp"

namespace registry::rows {

using store::collect;
using store::done;
using store::instant;
using store::only;
using store::seconds;
namespace {

namespace json = boost::json;

/// What the column `document` holds.
std::string document_of(const azure::Configuration& configuration) {
    return azure::json_text(json::object{{"schemaVersion", configuration.schema_version},
                                         {"labels", configuration.labels},
                                         {"content", configuration.content},
                                         {"targetCondition", configuration.target_condition},
                                         {"priority", configuration.priority},
                                         {"queries", configuration.metric_queries}});
}

base::Result<azure::Configuration> read_configuration(const store::Statement& row) {
    azure::Configuration out;
    out.id = row.text(0);
    out.etag = row.text(1);
    out.created = instant(row.integer(2));
    out.updated = instant(row.integer(3));
    const auto document = azure::parse_json(row.text(4));
    if (!document || !document->is_object())
        return base::fail(base::Code::io, refusals::configuration_thing(out.id),
                          "cannot be read from the registry");
    const auto& members = document->get_object();
    out.schema_version = members.at("schemaVersion").as_string();
    out.labels = members.at("labels").as_object();
    out.content = members.at("content").as_object();
    out.target_condition = members.at("targetCondition").as_string();
    out.priority = members.at("priority").as_int64();
    out.metric_queries = members.at("queries").as_object();
    return out;
}

}  // namespace

base::Result<std::optional<azure::Configuration>> configuration(store::Database& database,
                                                                std::string_view id) {
    auto query =
        database.statement("SELECT id, etag, created, updated, document FROM configurations WHERE id = ?");
    return only<azure::Configuration>(query.bind(1, id), read_configuration);
}

base::Result<std::vector<azure::Configuration>> configurations(store::Database& database, std::size_t top) {
    auto query = database.statement(
        "SELECT id, etag, created, updated, document FROM configurations ORDER BY id LIMIT ?");
    return collect<azure::Configuration>(query.bind(1, static_cast<std::int64_t>(top)), read_configuration);
}

base::Result<std::int64_t> configuration_count(store::Database& database) {
    auto query = database.statement("SELECT count(*) FROM configurations");
    SP_TRY(return, const bool there, query.step());
    return there ? query.integer(0) : 0;
}

base::Status put(store::Database& database, const azure::Configuration& configuration) {
    auto row = database.statement(
        "INSERT INTO configurations(id, etag, created, updated, document) VALUES(?1,?2,?3,?4,?5)"
        " ON CONFLICT(id) DO UPDATE SET etag=?2, updated=?4, document=?5");
    row.bind(1, configuration.id).bind(2, configuration.etag).bind(3, seconds(configuration.created));
    return done(row.bind(4, seconds(configuration.updated)).bind(5, document_of(configuration)).run());
}

base::Status remove_configuration(store::Database& database, std::string_view id) {
    auto row = database.statement("DELETE FROM configurations WHERE id = ?");
    return done(row.bind(1, id).run());
}

}  // namespace registry::rows
