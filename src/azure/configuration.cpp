// SPDX-License-Identifier: Apache-2.0
#include "azure/configuration.hpp"

#include <algorithm>

#include "azure/json_reader.hpp"
#include "azure/json_text.hpp"
#include "azure/query.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_id = 128;
constexpr std::size_t most_metrics = 5;  // as Azure's limit of custom metrics

std::unexpected<ConfigurationError> refuse(ErrorCode code, std::string text) {
    return std::unexpected(ConfigurationError{code, std::move(text)});
}

std::unexpected<ConfigurationError> refuse(const base::Error& error) {
    const bool format = error.code == base::Code::malformed;
    return refuse(format ? ErrorCode::iot_hub_format_error : ErrorCode::argument_invalid, error.text());
}

/// A copy of an object member; empty where it is absent.
base::Result<json::object> object_of(const JsonObject& from, std::string_view name) {
    SP_TRY(return, const auto member, from.object(name));
    return member ? member->members() : json::object();
}

ConfigurationResult<void> check_labels(const json::object& labels) {
    for (const auto& [name, value] : labels)
        if (!value.is_string())
            return refuse(ErrorCode::argument_invalid, "labels." + std::string(name) + " is not a string");
    return {};
}

/// Each section maps keys to keys of twin sections to values.
ConfigurationResult<void> check_content(const json::object& content) {
    for (const auto& [section, value] : content) {
        const auto name = std::string(section);
        if (name != "deviceContent" && name != "modulesContent" && name != "moduleContent")
            return refuse(ErrorCode::invalid_configuration_content,
                          "content." + name + " is none of deviceContent, modulesContent, moduleContent");
        if (value.is_null()) continue;
        if (!value.is_object())
            return refuse(ErrorCode::invalid_configuration_content, "content." + name + " is not an object");
        if (name != "modulesContent") continue;
        for (const auto& [module, sections] : value.get_object())
            if (!sections.is_object())
                return refuse(ErrorCode::invalid_configuration_content,
                              "content.modulesContent." + std::string(module) + " is not an object");
    }
    return {};
}

ConfigurationResult<void> check_metrics(const json::object& queries) {
    if (queries.size() > most_metrics)
        return refuse(ErrorCode::invalid_metrics_query, "there are " + std::to_string(queries.size()) +
                                                            " metrics where at most " +
                                                            std::to_string(most_metrics) + " are allowed");
    for (const auto& [name, query] : queries) {
        if (!query.is_string())
            return refuse(ErrorCode::invalid_metrics_query,
                          "metrics.queries." + std::string(name) + " is not a string");
        if (const auto parsed = Query::parse(std::string_view(query.get_string())); !parsed)
            return refuse(ErrorCode::invalid_metrics_query,
                          "metric " + std::string(name) + ": " + parsed.error().text());
    }
    return {};
}

base::Status read_plain(const JsonObject& from, Configuration& out) {
    SP_TRY(return, const auto id, from.text("id"));
    out.id = id.value_or("");
    SP_TRY(return, const auto version, from.text("schemaVersion"));
    out.schema_version = version.value_or("1.0");
    SP_TRY(return, out.labels, object_of(from, "labels"));
    SP_TRY(return, out.content, object_of(from, "content"));
    SP_TRY(return, const auto condition, from.text("targetCondition"));
    out.target_condition = condition.value_or("");
    SP_TRY(return, const auto priority, from.integer("priority"));
    out.priority = priority.value_or(0);
    SP_TRY(return, const auto metrics, from.object("metrics"));
    if (metrics) {
        SP_TRY(return, out.metric_queries, object_of(*metrics, "queries"));
    }
    return {};
}

json::object to_value(const Configuration& configuration) {
    return {{"id", configuration.id},
            {"schemaVersion", configuration.schema_version},
            {"labels", configuration.labels},
            {"content", configuration.content},
            {"targetCondition", configuration.target_condition},
            {"createdTimeUtc", base::format_rfc3339(configuration.created)},
            {"lastUpdatedTimeUtc", base::format_rfc3339(configuration.updated)},
            {"priority", configuration.priority},
            {"systemMetrics", {{"results", json::object()}, {"queries", json::object()}}},
            {"metrics", {{"results", json::object()}, {"queries", configuration.metric_queries}}},
            {"etag", configuration.etag}};
}

bool is_id_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-+%_*!'").find(c) != std::string_view::npos;
}

}  // namespace

ConfigurationResult<void> check_configuration_id(std::string_view id) {
    if (id.empty() || id.size() > longest_id || !std::ranges::all_of(id, is_id_character))
        return refuse(
            ErrorCode::argument_invalid,
            "the id of a configuration has 1 to 128 of lower-case letters, digits and - + % _ * ! '");
    return {};
}

ConfigurationResult<Configuration> parse_configuration(std::string_view document) {
    const auto value = JsonObject::parse(document);
    if (!value) return refuse(value.error());
    const auto root = JsonObject::root(*value);
    if (!root) return refuse(root.error());
    Configuration out;
    if (const auto read = read_plain(*root, out); !read) return refuse(read.error());
    if (out.schema_version != "1.0" && out.schema_version != "1.1" && out.schema_version != "2.0")
        return refuse(ErrorCode::argument_invalid, "schemaVersion " + out.schema_version + " is not known");
    if (const auto fine = check_target_condition(out.target_condition); !fine)
        return refuse(ErrorCode::invalid_target_condition, fine.error().text());
    for (const auto& fine :
         {check_labels(out.labels), check_content(out.content), check_metrics(out.metric_queries)})
        if (!fine) return std::unexpected(fine.error());
    return out;
}

std::string to_json(const Configuration& configuration) {
    return json_text(to_value(configuration));
}

std::string to_json(const std::vector<Configuration>& configurations) {
    json::array list;
    for (const auto& one : configurations) list.push_back(to_value(one));
    return json_text(list);
}

base::Status check_target_condition(std::string_view text) {
    text = base::trim(text);
    if (text.empty() || text == "*") return {};
    constexpr std::string_view from = "FROM ";
    if (base::equal_ignoring_case(text.substr(0, from.size()), from)) {
        const auto query = Query::parse("SELECT * " + std::string(text));
        if (!query) return std::unexpected(query.error());
        return {};
    }
    const auto condition = Condition::parse(text);
    if (!condition) return std::unexpected(condition.error());
    return {};
}

base::Result<std::string> test_queries(std::string_view document) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    json::object answer{{"targetConditionError", nullptr}};
    SP_TRY(return, const auto condition, root.text("targetCondition"));
    if (condition)
        if (const auto fine = check_target_condition(*condition); !fine)
            answer["targetConditionError"] = fine.error().text();
    SP_TRY(return, const auto queries, object_of(root, "customMetricQueries"));
    json::object errors;
    for (const auto& [name, query] : queries) {
        if (!query.is_string())
            return base::fail(base::Code::invalid_argument, "customMetricQueries." + std::string(name),
                              "is not a string");
        if (const auto parsed = Query::parse(std::string_view(query.get_string())); !parsed)
            errors[name] = parsed.error().text();
    }
    answer["customMetricQueryErrors"] = std::move(errors);
    return json_text(answer);
}

}  // namespace azure
