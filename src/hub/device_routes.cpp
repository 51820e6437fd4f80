// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/handlers.hpp"
#include "hub/presence.hpp"
#include "hub/query.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::int64_t most_devices = 1000;

/// One device in its fullness, as the answer to a read or write.
http::Response shown(Call& call, azure::Device device) {
    show_presence(device, call.services);
    return json_with_etag(200, azure::to_json(device), device.etag);
}

}  // namespace

Answer list_devices(Call& call) {
    const auto top = query_number(call.request.target, "top", 1, most_devices);
    if (!top) co_return call.refuse(top.error());
    auto devices = call.here.reader->devices(static_cast<std::size_t>(top->value_or(most_devices)));
    if (!devices) co_return call.refuse(devices.error());
    for (auto& device : *devices) show_presence(device, call.services);
    co_return json_with_etag(200, azure::to_json(*devices), {});
}

Answer get_device(Call& call) {
    auto device = call.here.reader->device(call.at("d"));
    if (!device) co_return call.refuse(device.error());
    if (!*device) co_return call.refuse(azure::ErrorCode::device_not_found, call.at("d"));
    co_return shown(call, **std::move(device));
}

Answer put_device(Call& call) {
    const std::string id = call.at("d");
    if (auto fine = trust::check_id(id, "device id"); !fine) {
        co_return call.refuse(azure::ErrorCode::argument_invalid, fine.error().text());
    }
    auto wish = azure::parse_device(call.request.body);
    if (!wish) co_return call.refuse(body_refusal(wish.error()));
    if (wish->device_id.empty()) wish->device_id = id;
    if (wish->device_id != id) {
        co_return call.refuse(azure::ErrorCode::argument_invalid,
                              "deviceId of the body is not that of the path");
    }
    const auto match = call.if_match();
    const bool create = match.kind == registry::IfMatch::Kind::absent;
    const auto start = [&](auto done) {
        if (create)
            call.services.registry.create_device(*wish, std::move(done));
        else
            call.services.registry.replace_device(*wish, match, std::move(done));
    };
    auto written = co_await net::await_callback<base::Result<azure::Device>>(start);
    if (!written) co_return call.refuse(write_refusal(written.error()));
    base::log::info(base::events::device_changed, {{"device", id},
                                                   {"what", create ? "created" : "replaced"},
                                                   {"by", call.caller.text()},
                                                   {"address", call.peer.address}});
    co_return shown(call, *std::move(written));
}

Answer delete_device(Call& call) {
    const std::string id = call.at("d");
    const auto match = call.if_match();
    if (match.kind == registry::IfMatch::Kind::absent) {
        co_return call.refuse(azure::ErrorCode::precondition_failed, "If-Match is missing");
    }
    const auto start = [&](auto done) { call.services.registry.delete_device(id, match, std::move(done)); };
    const auto deleted = co_await net::await_callback<base::Result<bool>>(start);
    if (!deleted) co_return call.refuse(write_refusal(deleted.error()));
    base::log::info(
        base::events::device_changed,
        {{"device", id}, {"what", "deleted"}, {"by", call.caller.text()}, {"address", call.peer.address}});
    co_return http::Response::empty(204);
}

}  // namespace hub
