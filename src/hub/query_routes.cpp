// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <utility>

#include "azure/json_reader.hpp"
#include "azure/json_text.hpp"
#include "azure/query.hpp"
#include "base/result.hpp"
#include "hub/handlers.hpp"
#include "hub/query.hpp"
#include "hub/query_pool.hpp"
#include "hub/query_scan.hpp"
#include "hub/refusals.hpp"

namespace hub {

namespace {

constexpr std::size_t default_page = 100;
constexpr std::size_t largest_page = 1000;
// So that a page with few matches is not empty again and again, nor endless.
constexpr int most_steps_a_page = 20;

/// What is asked, held by the jobs on the pool too.
struct Asked {
    std::string text;
    azure::Query query;
};
using Shared = std::shared_ptr<const Asked>;

base::Result<Shared> asked_in(const std::string& body) {
    SP_TRY(return, const auto document, azure::JsonObject::parse(body));
    SP_TRY(return, const auto root, azure::JsonObject::root(document));
    SP_TRY(return, auto text, root.required_text("query"));
    SP_TRY(return, auto query, azure::Query::parse(text));
    return std::make_shared<const Asked>(Asked{std::move(text), std::move(query)});
}

/// x-ms-max-item-count. More than a page holds is no error: the service may return fewer.
base::Result<std::size_t> page_size(const http::Headers& headers) {
    const auto text = headers.get("x-ms-max-item-count");
    if (!text || text->empty()) return default_page;
    const auto number = to_number<std::int64_t>(*text);
    if (!number || *number < 1)
        return base::fail(base::Code::invalid_argument, "x-ms-max-item-count", "is no number from 1");
    return std::min(static_cast<std::size_t>(*number), largest_page);
}

base::Result<QueryPosition> start_of(const http::Headers& headers, const Asked& asked) {
    const auto token = headers.get("x-ms-continuation");
    if (token && !token->empty()) return QueryPosition::parse(*token, asked.text);
    QueryPosition start;
    start.left = asked.query.top();
    return start;
}

http::Response answer_with(std::string rows, const Asked& asked, const QueryStep* unfinished) {
    auto answer = json_with_etag(200, "[" + std::move(rows) + "]", {});
    answer.headers.set("x-ms-item-type", asked.query.selects_all() ? "Twin" : "Raw");
    if (unfinished != nullptr)
        answer.headers.set("x-ms-continuation", unfinished->position.token(asked.text));
    return answer;
}

net::Task<base::Result<QueryStep>> next_page(const Services& services, Shared asked, QueryPosition from,
                                             std::size_t most) {
    QueryStep step;
    step.position = std::move(from);
    for (int i = 0; i < most_steps_a_page && !step.finished && step.count == 0; ++i) {
        std::function<base::Result<QueryStep>(registry::Reader&)> work =
            [&services, asked, position = step.position, most](registry::Reader& reader) {
                return scan(reader, services, asked->query, position, most);
            };
        auto done = co_await run_on<QueryStep>(services.queries, std::move(work));
        if (!done) co_return std::unexpected(std::move(done).error());
        step = *std::move(done);
    }
    co_return step;
}

/// All groups at once: a part of them would be no answer.
net::Task<base::Result<std::string>> all_groups(const Services& services, Shared asked, QueryPosition from) {
    const auto groups = std::make_shared<azure::QueryGroups>(asked->query);
    QueryStep step;
    step.position = std::move(from);
    while (!step.finished) {
        if (services.stopping)
            co_return base::fail(base::Code::unavailable, "query", "is cut short by the end of the hub");
        std::function<base::Result<QueryStep>(registry::Reader&)> work =
            [&services, asked, groups, position = step.position](registry::Reader& reader) {
                return scan(reader, services, asked->query, position, *groups);
            };
        auto done = co_await run_on<QueryStep>(services.queries, std::move(work));
        if (!done) co_return std::unexpected(std::move(done).error());
        step = *std::move(done);
    }
    std::string rows;
    auto left = asked->query.top();
    for (const auto& row : groups->rows()) {
        if (left && (*left)-- == 0) break;
        rows += (rows.empty() ? "" : ",") + azure::json_text(row);
    }
    co_return rows;
}

http::Response refuse_query(const Call& call, const base::Error& error) {
    if (error.code != base::Code::rate_limited) return call.refuse(body_refusal(error));
    auto response = call.refuse(error);
    response.headers.set("Retry-After", "1");
    return response;
}

}  // namespace

Answer post_query(Call& call) {
    const auto asked = asked_in(call.request.body);
    if (!asked) co_return refuse_query(call, asked.error());
    const auto most = page_size(call.request.headers);
    if (!most) co_return refuse_query(call, most.error());
    auto start = start_of(call.request.headers, **asked);
    if (!start) co_return refuse_query(call, start.error());
    if ((*asked)->query.aggregates()) {
        auto rows = co_await all_groups(call.services, *asked, *std::move(start));
        if (!rows) co_return refuse_query(call, rows.error());
        co_return answer_with(*std::move(rows), **asked, nullptr);
    }
    auto page = co_await next_page(call.services, *asked, *std::move(start), *most);
    if (!page) co_return refuse_query(call, page.error());
    co_return answer_with(std::move(page->rows), **asked, page->finished ? nullptr : &*page);
}

}  // namespace hub
