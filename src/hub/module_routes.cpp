// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/handlers.hpp"
#include "hub/presence.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

// The one api-version of identityd, whose parser takes no other word (interfaces.md 7).
azure::Dialect dialect_of(const Call& call) {
    return call.request.target.value("api-version") == "2017-11-08-preview" ? azure::Dialect::identityd
                                                                            : azure::Dialect::service;
}

http::Response shown(Call& call, azure::Module module) {
    show_presence(module, call.services);
    return json_with_etag(200, azure::to_json(module, dialect_of(call)), module.etag);
}

void log_change(const Call& call, const trust::Identity& id, std::string what) {
    base::log::info(base::events::device_changed, {{"device", id.device},
                                                   {"module", id.module},
                                                   {"what", std::move(what)},
                                                   {"by", call.caller.text()},
                                                   {"address", call.peer.address}});
}

}  // namespace

Answer list_modules(Call& call) {
    const std::string device = call.at("d");
    const auto known = call.here.reader->device(device);
    if (!known) co_return call.refuse(known.error());
    if (!*known) co_return call.refuse(azure::ErrorCode::device_not_found, device);
    auto modules = call.here.reader->modules(device);
    if (!modules) co_return call.refuse(modules.error());
    for (auto& module : *modules) show_presence(module, call.services);
    co_return json_with_etag(200, azure::to_json(*modules, dialect_of(call)), {});
}

Answer get_module(Call& call) {
    const trust::Identity id{call.at("d"), call.at("id")};
    auto module = call.here.reader->module(id);
    if (!module) co_return call.refuse(module.error());
    if (!*module) {
        const auto device = call.here.reader->device(id.device);
        if (device && !*device) co_return call.refuse(azure::ErrorCode::device_not_found, id.device);
        co_return call.refuse(azure::ErrorCode::module_not_found, id.text());
    }
    co_return shown(call, **std::move(module));
}

Answer put_module(Call& call) {
    const trust::Identity id{call.at("d"), call.at("id")};
    if (auto fine = trust::check_id(id.module, "module id"); !fine) {
        co_return call.refuse(azure::ErrorCode::argument_invalid, fine.error().text());
    }
    auto wish = azure::parse_module(call.request.body);
    if (!wish) co_return call.refuse(body_refusal(wish.error()));
    if (wish->device_id.empty()) wish->device_id = id.device;
    if (wish->module_id.empty()) wish->module_id = id.module;
    if (wish->device_id != id.device || wish->module_id != id.module) {
        co_return call.refuse(azure::ErrorCode::argument_invalid,
                              "ids of the body are not those of the path");
    }
    const auto match = call.if_match();
    const bool create = match.kind == registry::IfMatch::Kind::absent;
    const auto start = [&](auto done) {
        if (create)
            call.services.registry.create_module(*wish, std::move(done));
        else
            call.services.registry.replace_module(*wish, match, std::move(done));
    };
    auto written = co_await net::await_callback<base::Result<azure::Module>>(start);
    if (!written) co_return call.refuse(write_refusal(written.error()));
    log_change(call, id, create ? "created" : "replaced");
    co_return shown(call, *std::move(written));
}

Answer delete_module(Call& call) {
    const trust::Identity id{call.at("d"), call.at("id")};
    const auto match = call.if_match();
    if (match.kind == registry::IfMatch::Kind::absent) {
        co_return call.refuse(azure::ErrorCode::precondition_failed, "If-Match is missing");
    }
    const auto start = [&](auto done) { call.services.registry.delete_module(id, match, std::move(done)); };
    const auto deleted = co_await net::await_callback<base::Result<bool>>(start);
    if (!deleted) co_return call.refuse(write_refusal(deleted.error()));
    log_change(call, id, "deleted");
    co_return http::Response::empty(204);
}

}  // namespace hub
