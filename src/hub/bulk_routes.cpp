// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "azure/bulk.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/handlers.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::size_t most_items = 100;  // hub.md 5.3

}  // namespace

Answer post_devices(Call& call) {
    auto items = azure::parse_bulk(call.request.body, most_items);
    if (!items && items.error().code == base::Code::too_large)
        co_return call.refuse(azure::ErrorCode::too_many_devices, items.error().text());
    if (!items) co_return call.refuse(body_refusal(items.error()));
    const auto count = items->size();
    const auto start = [&](auto done) { call.services.registry.bulk(*std::move(items), std::move(done)); };
    const auto written = co_await net::await_callback<base::Result<azure::BulkResult>>(start);
    if (!written) co_return call.refuse(write_refusal(written.error()));
    base::log::info(base::events::device_changed, {{"what", "bulk"},
                                                   {"items", std::to_string(count)},
                                                   {"refused", std::to_string(written->failures.size())},
                                                   {"by", call.caller.text()},
                                                   {"address", call.peer.address}});
    auto answer = json_with_etag(written->successful() ? 200 : 400, azure::to_json(*written), {});
    // C# reads the code of every 400 from this header.
    if (!written->successful())
        answer.headers.set("iothub-errorcode",
                           std::string(azure::name(azure::ErrorCode::bulk_operation_failure)));
    co_return answer;
}

Answer get_device_statistics(Call& call) {
    const auto counts = call.here.reader->counts();
    if (!counts) co_return call.refuse(counts.error());
    const boost::json::object body{{"totalDeviceCount", counts->devices},
                                   {"enabledDeviceCount", counts->devices - counts->disabled_devices},
                                   {"disabledDeviceCount", counts->disabled_devices}};
    co_return json_with_etag(200, boost::json::serialize(body), {});
}

Answer get_service_statistics(Call& call) {
    const boost::json::object body{{"connectedDeviceCount", call.services.sessions.connected_devices()}};
    co_return json_with_etag(200, boost::json::serialize(body), {});
}

}  // namespace hub
