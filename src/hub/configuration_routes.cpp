// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "azure/configuration.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/handlers.hpp"
#include "hub/query.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::int64_t most_configurations = 100;

http::Response refuse_configuration(const Call& call, const azure::ConfigurationError& error) {
    return call.refuse(error.code, error.text);
}

void log_change(const Call& call, const std::string& id, std::string what) {
    base::log::info(base::events::configuration_changed, {{"configuration", id},
                                                          {"what", std::move(what)},
                                                          {"by", call.caller.text()},
                                                          {"address", call.peer.address}});
}

}  // namespace

Answer list_configurations(Call& call) {
    const auto top = query_number(call.request.target, "top", 1, most_configurations);
    if (!top) co_return call.refuse(top.error());
    const auto found =
        call.here.reader->configurations(static_cast<std::size_t>(top->value_or(most_configurations)));
    if (!found) co_return call.refuse(found.error());
    co_return json_with_etag(200, azure::to_json(*found), {});
}

Answer get_configuration(Call& call) {
    const auto found = call.here.reader->configuration(call.at("id"));
    if (!found) co_return call.refuse(found.error());
    if (!*found) co_return call.refuse(azure::ErrorCode::configuration_not_found, call.at("id"));
    co_return json_with_etag(200, azure::to_json(**found), (*found)->etag);
}

Answer put_configuration(Call& call) {
    const std::string id = call.at("id");
    if (const auto fine = azure::check_configuration_id(id); !fine)
        co_return refuse_configuration(call, fine.error());
    auto wish = azure::parse_configuration(call.request.body);
    if (!wish) co_return refuse_configuration(call, wish.error());
    if (!wish->id.empty() && wish->id != id) {
        co_return call.refuse(azure::ErrorCode::argument_invalid, "id of the body is not that of the path");
    }
    wish->id = id;
    const auto match = call.if_match();
    const auto start = [&](auto done) {
        call.services.registry.put_configuration(*std::move(wish), match, std::move(done));
    };
    using Put = registry::Registry::PutConfiguration;
    const auto put = co_await net::await_callback<base::Result<Put>>(start);
    if (!put) co_return call.refuse(write_refusal(put.error()));
    log_change(call, id, put->created ? "created" : "replaced");
    // 200 both times: of the two that the service allows, the one that every SDK takes.
    co_return json_with_etag(200, azure::to_json(put->configuration), put->configuration.etag);
}

Answer delete_configuration(Call& call) {
    const std::string id = call.at("id");
    const auto match = call.if_match();
    const auto start = [&](auto done) {
        call.services.registry.delete_configuration(id, match, std::move(done));
    };
    const auto deleted = co_await net::await_callback<base::Result<bool>>(start);
    if (!deleted) co_return call.refuse(write_refusal(deleted.error()));
    log_change(call, id, "deleted");
    co_return http::Response::empty(204);
}

Answer post_configuration_content(Call& call) {
    const std::string device = call.at("d");
    auto contents = azure::parse_content(call.request.body);
    if (!contents) co_return refuse_configuration(call, contents.error());
    const auto start = [&](auto done) {
        call.services.registry.apply_content(device, *std::move(contents), std::move(done));
    };
    const auto applied = co_await net::await_callback<base::Result<bool>>(start);
    if (!applied) co_return call.refuse(write_refusal(applied.error()));
    base::log::info(base::events::device_changed, {{"device", device},
                                                   {"what", "content applied"},
                                                   {"by", call.caller.text()},
                                                   {"address", call.peer.address}});
    co_return http::Response::empty(204);
}

Answer post_test_queries(Call& call) {
    const auto tested = azure::test_queries(call.request.body);
    if (!tested) co_return call.refuse(body_refusal(tested.error()));
    co_return json_with_etag(200, *tested, {});
}

}  // namespace hub
