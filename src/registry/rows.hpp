// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "registry/registry.hpp"
#include "store/database.hpp"

/// How the documents lie in the tables. Nobody else names a column.
namespace registry::rows {

base::Result<std::optional<azure::Device>> device(store::Database& database, std::string_view id);
base::Result<std::optional<azure::Module>> module(store::Database& database, const trust::Identity& id);
base::Result<std::vector<azure::Device>> devices(store::Database& database, std::size_t top);
base::Result<std::vector<azure::Device>> devices(store::Database& database, std::string_view first,
                                                 std::string_view last, std::size_t most);
base::Result<std::vector<azure::Module>> modules(store::Database& database, std::string_view device);
base::Result<std::vector<azure::Module>> modules_behind(store::Database& database,
                                                        const trust::Identity& after, std::string_view last,
                                                        std::size_t most);
base::Result<Counts> counts(store::Database& database);
/// The device itself and those whose parent has this scope, by id, behind `after`.
base::Result<std::vector<azure::Device>> in_scope(store::Database& database, std::string_view edge,
                                                  std::string_view scope, std::string_view after,
                                                  std::size_t most);
base::Result<std::optional<azure::Device>> scope_owner(store::Database& database, std::string_view scope);
/// The scopes of the edge devices right below.
base::Result<std::vector<std::string>> child_edge_scopes(store::Database& database, std::string_view scope);
base::Result<std::int64_t> module_count(store::Database& database, std::string_view device);

/// Inserts the row, or replaces the one with its id.
base::Status put(store::Database& database, const azure::Device& device);
base::Status put(store::Database& database, const azure::Module& module);
/// With its twin.
base::Status remove(store::Database& database, const trust::Identity& id);
base::Status remove_modules(store::Database& database, std::string_view device);

base::Result<std::optional<azure::Twin>> twin(store::Database& database, const trust::Identity& id);
base::Result<std::optional<std::string>> model_id(store::Database& database, const trust::Identity& id);
base::Status put(store::Database& database, const trust::Identity& id, const azure::Twin& twin);
/// Of a twin that is there: the part that a device writes, and its model.
base::Status put_reported(store::Database& database, const trust::Identity& id,
                          const azure::TwinProperties& reported);
base::Status put_model_id(store::Database& database, const trust::Identity& id, std::string_view model);
base::Status remove_twin(store::Database& database, const trust::Identity& id);
base::Status remove_module_twins(store::Database& database, std::string_view device);

base::Result<std::optional<Policy>> policy(store::Database& database, std::string_view name);
base::Result<std::vector<Policy>> policies(store::Database& database);
base::Status put(store::Database& database, const Policy& policy);

base::Result<std::optional<CaCertificate>> ca_certificate(store::Database& database, std::string_view name);
base::Result<std::vector<CaCertificate>> ca_certificates(store::Database& database);
base::Status put(store::Database& database, const CaCertificate& certificate);
base::Status remove_ca_certificate(store::Database& database, std::string_view name);

base::Result<std::optional<azure::Configuration>> configuration(store::Database& database,
                                                                std::string_view id);
base::Result<std::vector<azure::Configuration>> configurations(store::Database& database, std::size_t top);
base::Result<std::int64_t> configuration_count(store::Database& database);
base::Status put(store::Database& database, const azure::Configuration& configuration);
base::Status remove_configuration(store::Database& database, std::string_view id);

/// Writes the change and sets its number; drops what is older than what is kept.
base::Status append(store::Database& database, Change& change);
base::Result<std::uint64_t> last_change(store::Database& database);
base::Result<std::uint64_t> oldest_change(store::Database& database);  ///< 0: none is kept
base::Result<std::vector<Change>> changes(store::Database& database, std::uint64_t since, std::size_t most);

}  // namespace registry::rows
