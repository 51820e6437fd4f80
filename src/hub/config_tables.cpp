// SPDX-License-Identifier: Apache-2.0
#include "hub/config_tables.hpp"

#include <array>

namespace hub {

namespace {

constexpr std::int64_t most_days = 3650;
constexpr std::int64_t least_bytes = 1024 * 1024;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50;

}  // namespace

void read_messages(base::ConfigTable& document, Retention& into) {
    auto messages = document.table("messages");
    if (!messages) return;
    if (const auto days = messages->integer("retention_days", 0, most_days))
        into.age = std::chrono::days(*days);
    if (const auto bytes = messages->integer("retention_bytes", 0, most_bytes)) {
        into.bytes = static_cast<std::uint64_t>(*bytes);
        if (*bytes > 0 && *bytes < least_bytes)
            messages->complain("retention_bytes", "is under 1048576",
                               "give at least 1 MiB, or 0 for no limit");
    }
}

void read_explain(base::ConfigTable& document, ExplainLimits& into) {
    auto explain = document.table("explain");
    if (!explain) return;
    if (const auto count = explain->integer("count", 1000, 10'000'000))
        into.count = static_cast<std::size_t>(*count);
    if (const auto days = explain->integer("days", 1, most_days)) into.age = std::chrono::days(*days);
}

void read_throttle(base::ConfigTable& document, ThrottleRates& into) {
    auto throttle = document.table("throttle");
    if (!throttle) return;
    struct Key {
        std::string_view name;
        Operation operation;
        std::chrono::seconds period;
    };
    constexpr std::chrono::seconds second{1};
    constexpr std::chrono::seconds minute{60};
    constexpr std::array keys{Key{"connects_per_second", Operation::connects, second},
                              Key{"telemetry_per_second", Operation::telemetry, second},
                              Key{"registry_per_minute", Operation::registry, minute},
                              Key{"queries_per_minute", Operation::queries, minute},
                              Key{"twin_reads_per_second", Operation::twin_reads, second},
                              Key{"twin_updates_per_second", Operation::twin_updates, second},
                              Key{"methods_per_second", Operation::methods, second},
                              Key{"cloud_to_device_per_minute", Operation::cloud_to_device, minute}};
    for (const auto& key : keys) {
        if (const auto count = throttle->integer(key.name, 0, 1'000'000))
            into[static_cast<std::size_t>(key.operation)] = {static_cast<std::uint32_t>(*count), key.period};
    }
}

void read_events(base::ConfigTable& document, EventWishes& into) {
    auto events = document.table("events");
    if (!events) return;
    into.lifecycle = events->boolean("lifecycle").value_or(into.lifecycle);
    into.connection_state = events->boolean("connection_state").value_or(into.connection_state);
    into.twin_changes = events->boolean("twin_changes").value_or(into.twin_changes);
}

}  // namespace hub
