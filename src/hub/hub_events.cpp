// SPDX-License-Identifier: Apache-2.0
#include "hub/hub_events.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "azure/document_text.hpp"
#include "azure/twin.hpp"
#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/twin_event.hpp"
#include "pki/digest.hpp"

namespace hub {

namespace {

namespace json = boost::json;

json::object ids(const trust::Identity& identity) {
    json::object out{{"deviceId", identity.device}};
    if (identity.is_module()) out["moduleId"] = identity.module;
    return out;
}

}  // namespace

azure::Event make_hub_event(HubEvent event, const std::string& hub_name, const std::string& correlation,
                            std::chrono::sys_time<std::chrono::milliseconds> now) {
    const auto stamp = base::format_rfc3339_ms(now);
    azure::Event out;
    out.origin = event.about;
    const auto body = base::as_bytes(event.body);
    out.message.body.assign(body.begin(), body.end());
    out.message.system = {{"content-encoding", "utf-8"},
                          {"content-type", "application/json"},
                          {"correlation-id", correlation},
                          {"user-id", hub_name}};
    auto& application = out.message.application;
    application = {{"hubName", hub_name}, {"deviceId", event.about.device}};
    if (event.about.is_module()) application.emplace_back("moduleId", event.about.module);
    application.emplace_back("operationTimestamp", azure::format_ticks(now));
    application.emplace_back("iothub-message-schema", std::string(event.schema));
    application.emplace_back("opType", std::string(event.operation));
    out.annotations.emplace_back("iothub-connection-device-id", event.about.device);
    if (event.about.is_module())
        out.annotations.emplace_back("iothub-connection-module-id", event.about.module);
    out.annotations.emplace_back("iothub-enqueuedtime", stamp);
    out.annotations.emplace_back("iothub-message-source", std::string(event.source));
    return out;
}

HubEvents::HubEvents(const Config& config, Telemetry& telemetry, const base::Clock& clock)
    : config_(config),
      telemetry_(telemetry),
      clock_(clock),
      started_(static_cast<std::uint64_t>(clock.now_ms().time_since_epoch().count()) * 10'000) {}

void HubEvents::changed(const registry::Change& change) {
    if (!config_.events.lifecycle || change.certificates || !(change.created || change.deleted)) return;
    const trust::Identity about{change.device, change.module};
    HubEvent event{.about = about,
                   .source = "deviceLifecycleEvents",
                   .schema = "deviceLifecycleNotification",
                   .operation = change.created ? "createDeviceIdentity" : "deleteDeviceIdentity",
                   .body = change.created ? whole_twin_body(about, azure::make_twin({}, clock_.now_ms()))
                                          : json::serialize(ids(about))};
    if (about.is_module()) {
        event.schema = "moduleLifecycleNotification";
        event.operation = change.created ? "createModuleIdentity" : "deleteModuleIdentity";
    }
    emit(std::move(event));
}

void HubEvents::presence(const trust::Identity& identity, bool connected) {
    if (!config_.events.connection_state) return;
    HubEvent event{.about = identity,
                   .source = "deviceConnectionStateEvents",
                   .schema = "deviceConnectionStateNotification",
                   .operation = connected ? "deviceConnected" : "deviceDisconnected",
                   .body = json::serialize(json::object{{"sequenceNumber", next_sequence_number()}})};
    if (identity.is_module()) event.operation = connected ? "moduleConnected" : "moduleDisconnected";
    emit(std::move(event));
}

void HubEvents::changed(const registry::TwinChange& change) {
    if (!config_.events.twin_changes) return;
    const bool replaced = change.how == azure::TwinWrite::replace;
    emit({.about = change.identity,
          .source = "twinChangeEvents",
          .schema = "twinChangeNotification",
          .operation = replaced ? "replaceTwin" : "updateTwin",
          .body = replaced ? whole_twin_body(change.identity, change.after) : twin_patch_body(change)});
}

/// 64 hex digits that grow from event to event.
std::string HubEvents::next_sequence_number() {
    return fmt::format("{:032x}{:032x}", started_, ++count_);
}

void HubEvents::emit(HubEvent event) {
    const auto correlation = base::to_hex(pki::random_bytes(6));
    telemetry_.append(make_hub_event(std::move(event), config_.name(), correlation, clock_.now_ms()),
                      [](const base::Result<std::uint64_t>& stored) {
                          if (!stored) base::log::error(base::events::store_failed, stored.error());
                      });
}

}  // namespace hub
