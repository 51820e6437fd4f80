// SPDX-License-Identifier: Apache-2.0
#include "app/hub_query.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "app/hub_client.hpp"
#include "azure/json_text.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

constexpr std::size_t largest_page = 1000;

struct QueryOptions {
    HubLogin login;
    std::string query;
    std::optional<std::size_t> top;
};

/// One page behind `continuation`; which is then that of the next, empty after the last one.
base::Result<json::array> page(const HubClient& client, const std::string& query, std::size_t most,
                               std::string& continuation) {
    HubClient::Ask ask;
    ask.verb = http::Verb::post;
    ask.target = "/devices/query?api-version=2021-04-12";
    ask.body = json::serialize(json::object{{"query", query}});
    ask.headers.emplace_back("x-ms-max-item-count", std::to_string(most));
    if (!continuation.empty()) ask.headers.emplace_back("x-ms-continuation", continuation);
    SP_TRY(return, const auto answer, client.send(ask));
    SP_TRY(return, auto value, parse_answer(answer));
    if (!value.is_array()) return base::fail(base::Code::unavailable, "answer of the hub", "is no list");
    continuation = answer.headers.get("x-ms-continuation").value_or("");
    return std::move(value.get_array());
}

base::Status query(const QueryOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto all, query_rows(client, options.query, options.top));
    if (options.login.json()) {
        print_json(all);
    } else {
        for (const auto& row : all) fmt::print("{}\n", azure::json_text(row));
    }
    return {};
}

}  // namespace

base::Result<json::array> query_rows(const HubClient& client, const std::string& query,
                                     std::optional<std::size_t> top) {
    json::array all;
    std::string continuation;
    do {
        const auto wanted = top ? *top - all.size() : largest_page;
        SP_TRY(return, auto rows, page(client, query, std::min(wanted, largest_page), continuation));
        for (auto& row : rows) all.push_back(std::move(row));
    } while (!continuation.empty() && (!top || all.size() < *top));
    if (top && all.size() > *top) all.resize(*top);
    return all;
}

std::string query_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "''" : c == '\\' ? "\\\\" : std::string(1, c);
    return out + "'";
}

void add_hub_query(CLI::App& hub, Run& run) {
    auto options = std::make_shared<QueryOptions>();
    auto* command = hub.add_subcommand("query", "ask about twins: SELECT ... FROM devices WHERE ...");
    add_login_options(*command, options->login);
    command->add_option("--query-command,-q", options->query, "the query")->required();
    command->add_option("--top", options->top, "at most so many rows")->check(CLI::PositiveNumber);
    on_run(*command, run, options, &query);
}

}  // namespace app
