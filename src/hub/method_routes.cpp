// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <utility>

#include "azure/method.hpp"
#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/handlers.hpp"
#include "hub/refusals.hpp"
#include "hub/session_methods.hpp"

namespace hub {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Callers wait exactly as long as both of their timeouts together (hub.md 5.8): who is answered at that
/// moment does not hear it any more.
constexpr milliseconds early{500};

http::Response failed(const Call& call, azure::MethodFailure failure) {
    auto response = http::Response::json(
        azure::http_status(failure.code),
        azure::method_failure_body(failure, call.tracking, call.services.clock.now_ms()));
    response.headers.set("iothub-errorcode", std::string(azure::name(failure.code)));
    response.headers.set("x-ms-request-id", call.tracking);
    return response;
}

http::Response not_online(const Call& call, std::chrono::seconds waited) {
    return failed(call,
                  {azure::ErrorCode::device_not_online, "Timed out waiting for device to connect.", waited});
}

http::Response ending(const Call& call) {
    return call.refuse(azure::ErrorCode::service_unavailable, "the hub is shutting down");
}

http::Response result(const Call& call, const trust::Identity& identity, const MethodAnswer& answer) {
    auto body = azure::method_result(answer.status, answer.payload);
    if (body) return http::Response::json(200, *std::move(body));
    base::log::warning(
        base::events::message_refused,
        {{"device", identity.device}, {"module", identity.module}, {"reason", body.error().text()}});
    return failed(call, {azure::ErrorCode::generic_bad_gateway, body.error().text()});
}

/// Why the identity is none that could be called; nullopt: it is one.
std::optional<http::Response> unknown(const Call& call, const trust::Identity& identity) {
    const auto record = call.here.reader->record(identity);
    if (!record) return call.refuse(record.error());
    if (*record) return std::nullopt;
    if (!identity.is_module()) return call.refuse(azure::ErrorCode::device_not_found, identity.device);
    const auto device = call.here.reader->record({identity.device, {}});
    if (!device) return call.refuse(device.error());
    return call.refuse(*device ? azure::ErrorCode::module_not_found : azure::ErrorCode::device_not_found,
                       identity.text());
}

}  // namespace

Answer post_method(Call& call) {
    const auto identity = call.identity();
    auto wish = azure::parse_method_request(call.request.body);
    if (!wish) co_return call.refuse(body_refusal(wish.error()));
    if (auto refusal = unknown(call, identity)) co_return *std::move(refusal);

    const auto& services = call.services;
    MethodCall waiting(services.methods, identity, call.here.methods);
    Waiters::Place subscribed(call.here.methods, subscribed_subject(identity));
    const auto connect_until = steady_clock::now() + wish->connect_timeout;
    for (;;) {
        send_method(services.sessions, identity, wish->name, waiting.request(), wish->payload,
                    waiting.attempt());
        const bool sent = co_await waiting.attempted();
        if (sent) break;
        const auto left = std::chrono::ceil<milliseconds>(connect_until - steady_clock::now());
        if (services.stopping) co_return ending(call);
        if (left.count() <= 0) co_return not_online(call, wish->connect_timeout);
        co_await subscribed.wait(left);
    }
    const auto until = steady_clock::now() + wish->response_timeout - early;
    const auto answer = co_await waiting.answered(until, services.stopping);
    if (answer) co_return result(call, identity, *answer);
    if (services.stopping) co_return ending(call);
    co_return failed(call, {azure::ErrorCode::gateway_timeout,
                            "Timed out waiting for the response from device.", wish->response_timeout});
}

}  // namespace hub
