// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "azure/message.hpp"
#include "base/clock.hpp"
#include "hub/config.hpp"
#include "hub/telemetry.hpp"
#include "registry/registry.hpp"

namespace hub {

/// One event that the hub itself emits, in the form of the real one: what the documentation calls
/// non-telemetry events. Pure.
struct HubEvent {
    trust::Identity about;
    std::string_view source;     ///< iothub-message-source: "deviceLifecycleEvents"
    std::string_view schema;     ///< iothub-message-schema: "deviceLifecycleNotification"
    std::string_view operation;  ///< opType: "createDeviceIdentity"
    std::string body;            ///< JSON
};
azure::Event make_hub_event(HubEvent event, const std::string& hub_name, const std::string& correlation,
                            std::chrono::sys_time<std::chrono::milliseconds> now);

/// Puts what `[events]` asks for into the message log. What cannot be stored is logged and lost: no operation
/// fails for it. From any thread, in the order of the calls.
class HubEvents {
  public:
    /// All outlive it.
    HubEvents(const Config& config, Telemetry& telemetry, const base::Clock& clock);

    /// A committed write of the registry: an identity that was created or deleted.
    void changed(const registry::Change& change);
    /// The identity has come, or has gone and no other connection has taken its place.
    void presence(const trust::Identity& identity, bool connected);
    /// A committed write of a twin, by a service or by its device.
    void changed(const registry::TwinChange& change);

  private:
    void emit(HubEvent event);
    std::string next_sequence_number();

    const Config& config_;
    Telemetry& telemetry_;
    const base::Clock& clock_;
    std::uint64_t started_;  ///< in 100 ns, so that numbers grow across restarts
    std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace hub
