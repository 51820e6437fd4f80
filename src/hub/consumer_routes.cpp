// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <utility>

#include "hub/handlers.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

namespace json = boost::json;

/// The offset of a body {"offset": N}; nullopt: it is none.
std::optional<std::uint64_t> read_offset(const std::string& body) {
    boost::system::error_code failed;
    const auto value = json::parse(body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* offset = object == nullptr ? nullptr : object->if_contains("offset");
    if (offset == nullptr || !offset->is_number()) return std::nullopt;
    const auto number = offset->to_number<std::uint64_t>(failed);
    if (failed) return std::nullopt;
    return number;
}

http::Response failed_write(const Call& call, const base::Error& error) {
    switch (error.code) {
        case base::Code::too_large:
            return call.refuse(azure::ErrorCode::generic_forbidden, error.text());
        case base::Code::not_found:
            return call.refuse(azure::ErrorCode::generic_not_found, error.text());
        default:
            return call.refuse(store_refusal(error));
    }
}

}  // namespace

Answer list_consumers(Call& call) {
    json::array list;
    for (const auto& one : call.services.consumers.list()) {
        list.push_back(json::object{{"name", one.name},
                                    {"offset", one.offset},
                                    {"updatedTimeUtc", base::format_rfc3339(one.updated)}});
    }
    const json::object answer{{"first", call.services.telemetry.first()},
                              {"next", call.services.telemetry.next()},
                              {"consumers", std::move(list)}};
    co_return http::Response::json(200, json::serialize(answer));
}

Answer put_consumer(Call& call) {
    Consumers::Consumer consumer{call.at("name"), 0, call.now};
    if (auto fine = check_consumer_name(consumer.name); !fine)
        co_return call.refuse(azure::ErrorCode::argument_invalid, fine.error().text());
    const auto offset = read_offset(call.request.body);
    if (!offset) {
        co_return call.refuse(azure::ErrorCode::iot_hub_format_error,
                              "the body is not {\"offset\": N} with a number from 0 on");
    }
    if (const auto next = call.services.telemetry.next(); *offset > next) {
        co_return call.refuse(azure::ErrorCode::argument_invalid,
                              "the next message will have the offset " + std::to_string(next));
    }
    consumer.offset = *offset;
    const auto start = [&](auto done) { call.services.consumers.put(consumer, std::move(done)); };
    const auto stored = co_await net::await_callback<base::Status>(start);
    if (!stored) co_return failed_write(call, stored.error());
    co_return http::Response::empty(204);
}

Answer delete_consumer(Call& call) {
    const auto start = [&](auto done) { call.services.consumers.remove(call.at("name"), std::move(done)); };
    const auto removed = co_await net::await_callback<base::Status>(start);
    if (!removed) co_return failed_write(call, removed.error());
    co_return http::Response::empty(204);
}

}  // namespace hub
