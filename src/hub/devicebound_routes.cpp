// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <utility>

#include "azure/message_headers.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/device_message.hpp"
#include "hub/handlers.hpp"
#include "hub/query.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

/// Cloud-to-device messages: sent by services, received by devices over HTTPS (hub.md 4).
namespace hub {

namespace {

constexpr std::int64_t usual_lock = 60;
constexpr std::int64_t longest_lock = 300;

using Address = DeviceQueue::Address;
using Settlement = DeviceQueue::Settlement;

/// The device of the path, as it is now.
std::expected<Address, Refusal> find_device(const Call& call) {
    const trust::Identity identity{call.at("d"), {}};
    const auto record = call.here.reader->record(identity);
    if (!record) return std::unexpected(to_refusal(record.error()));
    if (!*record) return std::unexpected(Refusal{azure::ErrorCode::device_not_found, identity.device});
    return Address{identity.device, (*record)->generation};
}

/// The device that receives: the caller, or the one that a policy with DeviceConnect speaks for.
std::expected<Address, Refusal> receiver(const Call& call) {
    if (call.caller.sender) return Address{call.at("d"), call.caller.sender->generation};
    return find_device(call);
}

std::expected<azure::CloudMessage, Refusal> read_cloud_message(const Call& call, azure::Millis now) {
    auto message = read_message(call.request);
    if (!message) return std::unexpected(std::move(message).error());
    auto made = azure::make_cloud_message(*std::move(message), call.at("d"));
    if (!made) {
        const auto code = made.error().code == base::Code::too_large ? azure::ErrorCode::message_too_large
                                                                     : azure::ErrorCode::argument_invalid;
        return std::unexpected(Refusal{code, made.error().text()});
    }
    made->expiry = azure::expiry_of(*made, now, call.services.config.cloud_to_device.default_ttl);
    if (!made->expiry) {
        return std::unexpected(Refusal{azure::ErrorCode::invalid_message_expiry_time,
                                       "the expiry has passed, or is more than two days off"});
    }
    return *std::move(made);
}

/// The header IotHub-MessageLockTimeout, in seconds.
std::expected<std::chrono::seconds, Refusal> lock_time(const Call& call) {
    const auto text = call.request.headers.get("IotHub-MessageLockTimeout");
    if (!text || text->empty()) return std::chrono::seconds(usual_lock);
    auto number = read_number(*text, "IotHub-MessageLockTimeout", 1, longest_lock);
    if (!number) return std::unexpected(std::move(number).error());
    return std::chrono::seconds(*number);
}

Answer settle_message(Call& call, Settlement how) {
    const auto start = [&](auto done) {
        call.services.queue.settle(call.at("d"), call.at("lock"), how, std::move(done));
    };
    const auto settled = co_await net::await_callback<base::Result<bool>>(start);
    if (!settled) co_return call.refuse(queue_refusal(settled.error()));
    co_return http::Response::empty(204);
}

}  // namespace

Answer send_to_device(Call& call) {
    auto address = find_device(call);
    if (!address) co_return call.refuse(address.error());
    auto message = read_cloud_message(call, call.services.clock.now_ms());
    if (!message) co_return call.refuse(message.error());
    const auto start = [&](auto done) {
        call.services.queue.enqueue(*std::move(address), *std::move(message), std::move(done));
    };
    const auto queued = co_await net::await_callback<base::Result<std::uint64_t>>(start);
    if (!queued) co_return call.refuse(queue_refusal(queued.error()));
    auto response = http::Response::empty(204);
    response.headers.set("iothub-sequencenumber", std::to_string(*queued));
    co_return response;
}

Answer receive_devicebound(Call& call) {
    auto address = receiver(call);
    if (!address) co_return call.refuse(address.error());
    const auto lock = lock_time(call);
    if (!lock) co_return call.refuse(lock.error());
    const auto start = [&](auto done) {
        call.services.queue.receive(*std::move(address), *lock, std::move(done));
    };
    const auto found = co_await net::await_callback<base::Result<std::optional<DeviceQueue::Held>>>(start);
    if (!found) co_return call.refuse(queue_refusal(found.error()));
    if (!*found) co_return http::Response::empty(204);
    const auto& held = **found;
    http::Response response;
    response.headers.set("Content-Type", "application/octet-stream");
    response.headers.set("ETag", "\"" + held.lock_token + "\"");
    for (auto& [name, value] : azure::devicebound_headers(call.at("d"), held.delivery))
        response.headers.add(std::move(name), std::move(value));
    response.body = base::as_text(held.delivery.message.message.body);
    co_return response;
}

Answer settle_devicebound(Call& call) {
    return settle_message(call,
                          call.request.target.has("reject") ? Settlement::reject : Settlement::complete);
}

Answer abandon_devicebound(Call& call) {
    return settle_message(call, Settlement::abandon);
}

Answer purge_devicebound(Call& call) {
    auto address = find_device(call);
    if (!address) co_return call.refuse(address.error());
    const auto start = [&](auto done) { call.services.queue.purge(*address, std::move(done)); };
    const auto purged = co_await net::await_callback<base::Result<std::size_t>>(start);
    if (!purged) co_return call.refuse(queue_refusal(purged.error()));
    base::log::info(base::events::device_changed, {{"device", address->device},
                                                   {"what", std::to_string(*purged) + " messages purged"},
                                                   {"by", call.caller.text()},
                                                   {"address", call.peer.address}});
    boost::json::object body;
    body["deviceId"] = address->device;
    body["moduleId"] = nullptr;
    body["totalMessagesPurged"] = *purged;
    co_return json_with_etag(200, boost::json::serialize(body), {});
}

}  // namespace hub
