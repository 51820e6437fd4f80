// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "azure/twin.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/handlers.hpp"
#include "hub/presence.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

template <class Document>
http::Response shown(Call& call, const azure::Twin& twin, Document document) {
    show_presence(document, call.services);
    return json_with_etag(200, azure::to_json(twin, document), twin.etag());
}

/// The twin with what its identity says; read after it, so that a twin written just now has its identity.
http::Response shown(Call& call, const trust::Identity& id, const azure::Twin& twin) {
    if (id.is_module()) {
        auto module = call.here.reader->module(id);
        if (!module) return call.refuse(module.error());
        if (!*module) return call.refuse(azure::ErrorCode::module_not_found, id.text());
        return shown(call, twin, **std::move(module));
    }
    auto device = call.here.reader->device(id.device);
    if (!device) return call.refuse(device.error());
    if (!*device) return call.refuse(azure::ErrorCode::device_not_found, id.device);
    return shown(call, twin, **std::move(device));
}

Answer write_twin(Call& call, azure::TwinWrite how) {
    const auto id = call.identity();
    auto wish = azure::parse_twin(call.request.body);
    if (!wish) co_return call.refuse(body_refusal(wish.error()));
    const auto match = call.if_match();
    const auto start = [&](auto done) {
        call.services.registry.update_twin(id, *std::move(wish), how, match, std::move(done));
    };
    const auto written = co_await net::await_callback<base::Result<azure::Twin>>(start);
    if (!written) co_return call.refuse(write_refusal(written.error()));
    base::log::info(base::events::device_changed,
                    {{"device", id.device},
                     {"module", id.module},
                     {"what", how == azure::TwinWrite::patch ? "twin patched" : "twin replaced"},
                     {"by", call.caller.text()},
                     {"address", call.peer.address}});
    co_return shown(call, id, *written);
}

}  // namespace

Answer get_twin(Call& call) {
    const auto id = call.identity();
    const auto twin = call.here.reader->twin(id);
    if (!twin) co_return call.refuse(twin.error());
    if (!*twin && id.is_module()) {
        const auto device = call.here.reader->device(id.device);
        if (device && !*device) co_return call.refuse(azure::ErrorCode::device_not_found, id.device);
        co_return call.refuse(azure::ErrorCode::module_not_found, id.text());
    }
    if (!*twin) co_return call.refuse(azure::ErrorCode::device_not_found, id.device);
    co_return shown(call, id, **twin);
}

Answer patch_twin(Call& call) {
    return write_twin(call, azure::TwinWrite::patch);
}

Answer put_twin(Call& call) {
    return write_twin(call, azure::TwinWrite::replace);
}

}  // namespace hub
