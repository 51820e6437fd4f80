// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <utility>

#include "hub/handlers.hpp"
#include "hub/query.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

/// What became of cloud-to-device messages, for the services that sent them (hub.md 7).
namespace hub {

namespace {

http::Response shown(const feedback_rows::Batch& batch, const Call& call) {
    http::Response response;
    response.headers.set("Content-Type", std::string(azure::feedback_type));
    response.headers.set("ETag", "\"" + batch.lock_token + "\"");
    response.headers.set("iothub-userid", call.services.config.name());
    response.headers.set("iothub-enqueuedtime", base::format_rfc3339_ms(batch.made));
    response.body = batch.json;
    return response;
}

Answer settle_feedback(Call& call, feedback_rows::Settlement how) {
    const auto start = [&](auto done) {
        call.services.queue.settle_feedback(call.at("lock"), how, std::move(done));
    };
    const auto settled = co_await net::await_callback<base::Result<bool>>(start);
    if (!settled) co_return call.refuse(queue_refusal(settled.error()));
    co_return http::Response::empty(204);
}

}  // namespace

Answer get_feedback(Call& call) {
    const auto wait = query_number(call.request.target, "wait", 0, longest_wait.count());
    if (!wait) co_return call.refuse(wait.error());
    Waiters::Place place(call.here.feedback, "feedback");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(wait->value_or(0));
    for (;;) {
        const auto start = [&](auto done) { call.services.queue.receive_feedback(std::move(done)); };
        const auto found =
            co_await net::await_callback<base::Result<std::optional<feedback_rows::Batch>>>(start);
        if (!found) co_return call.refuse(queue_refusal(found.error()));
        if (*found) co_return shown(**found, call);
        const auto left = net::left_until(until);
        if (left.count() <= 0 || call.services.stopping) co_return http::Response::empty(204);
        co_await place.wait(left);
    }
}

Answer complete_feedback(Call& call) {
    return settle_feedback(call, feedback_rows::Settlement::complete);
}

Answer abandon_feedback(Call& call) {
    return settle_feedback(call, feedback_rows::Settlement::abandon);
}

}  // namespace hub
