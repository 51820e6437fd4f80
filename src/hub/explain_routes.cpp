// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "hub/handlers.hpp"
#include "hub/query.hpp"
#include "hub/tracking.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::int64_t usual_list = 20;
constexpr std::int64_t longest_list = 100;

}  // namespace

Answer get_explanation(Call& call) {
    const auto key = tracking_key(call.at("tracking"));
    if (!key) co_return call.refuse(azure::ErrorCode::argument_invalid, "a tracking id has 32 hex digits");
    const auto start = [&](auto done) { call.services.explanations.find(*key, std::move(done)); };
    const auto found = co_await net::await_callback<Explanations::Documents>(start);
    if (!found) co_return call.refuse(store_refusal(found.error()));
    if (found->empty()) {
        co_return call.refuse(azure::ErrorCode::generic_not_found,
                              "nothing is known, or known any more, about tracking id " + *key);
    }
    co_return http::Response::json(200, found->front());
}

Answer list_explanations(Call& call) {
    const auto device = call.request.target.value("deviceId").value_or(std::string());
    if (device.empty()) co_return call.refuse(azure::ErrorCode::argument_null, "deviceId is missing");
    const auto top = query_number(call.request.target, "top", 1, longest_list);
    if (!top) co_return call.refuse(top.error());
    const auto most = static_cast<std::size_t>(top->value_or(usual_list));
    const auto start = [&](auto done) { call.services.explanations.newest(device, most, std::move(done)); };
    const auto found = co_await net::await_callback<Explanations::Documents>(start);
    if (!found) co_return call.refuse(store_refusal(found.error()));
    std::string list;
    for (const auto& document : *found) list += (list.empty() ? "" : ",") + document;
    co_return http::Response::json(200, "[" + list + "]");
}

}  // namespace hub
