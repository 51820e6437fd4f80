// SPDX-License-Identifier: Apache-2.0
#include "hub/throttle.hpp"

namespace hub {

Operation operation_of(http::Verb verb, std::string_view route) {
    const bool reads = verb == http::Verb::get || verb == http::Verb::head;
    if (route.ends_with("/query")) return Operation::queries;
    if (route.ends_with("/messages/events")) return reads ? Operation::none : Operation::telemetry;
    if (route.ends_with("/messages/devicebound") || route.ends_with("/messages/deviceBound"))
        return reads ? Operation::none : Operation::cloud_to_device;
    if (route.ends_with("/methods")) return Operation::methods;
    if (route.starts_with("/twins/")) return reads ? Operation::twin_reads : Operation::twin_updates;
    // What gateways ask for is no operation of a service.
    if (route.find("/modules/$edgeHub/") != std::string_view::npos) return Operation::none;
    if (route.find("/messages/") != std::string_view::npos || route.find("/files") != std::string_view::npos)
        return Operation::none;
    if (route.starts_with("/devices") || route.starts_with("/configurations")) return Operation::registry;
    return Operation::none;
}

std::string_view to_string(Operation operation) {
    switch (operation) {
        case Operation::none:
            return "operations";
        case Operation::connects:
            return "connects";
        case Operation::telemetry:
            return "telemetry sends";
        case Operation::registry:
            return "registry operations";
        case Operation::queries:
            return "queries";
        case Operation::twin_reads:
            return "twin reads";
        case Operation::twin_updates:
            return "twin updates";
        case Operation::methods:
            return "method calls";
        case Operation::cloud_to_device:
            return "cloud-to-device sends";
    }
    return "operations";
}

Throttle::Throttle(const ThrottleRates& rates) {
    for (std::size_t i = 0; i < operations; ++i) {
        const auto& rate = rates[i];
        if (rate.count > 0) gates_[i].bucket.emplace(rate.count, rate.period);
    }
}

std::optional<std::chrono::milliseconds> Throttle::take(Operation operation, TokenBucket::Time now) {
    auto& gate = gates_[static_cast<std::size_t>(operation)];
    if (!gate.bucket) return std::nullopt;
    const std::lock_guard lock(gate.mutex);
    return gate.bucket->take(now);
}

std::optional<std::chrono::milliseconds> Throttle::delay(Operation operation, TokenBucket::Time now) {
    auto& gate = gates_[static_cast<std::size_t>(operation)];
    if (!gate.bucket) return std::chrono::milliseconds(0);
    const std::lock_guard lock(gate.mutex);
    return gate.bucket->borrow(now, longest_delay);
}

}  // namespace hub
