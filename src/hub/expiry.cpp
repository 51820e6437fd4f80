// SPDX-License-Identifier: Apache-2.0
#include "hub/expiry.hpp"

#include <chrono>

#include "base/events.hpp"
#include "base/log.hpp"

namespace hub {

namespace {

constexpr std::chrono::minutes pause{1};

}  // namespace

Expiry::Expiry(Telemetry& telemetry, Retention retention, const base::Clock& clock)
    : telemetry_(telemetry), retention_(retention), clock_(clock) {
    if (retention_.age.count() == 0 && retention_.bytes == 0) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Expiry::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto dropped = telemetry_.expire(retention_, clock_.now());
        if (!dropped) {
            base::log::error(base::events::store_failed, dropped.error());
        } else if (*dropped > 0) {
            base::log::info(base::events::messages_expired, {{"count", std::to_string(*dropped)},
                                                             {"first", std::to_string(telemetry_.first())}});
        }
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, pause, [] { return false; });
    }
}

}  // namespace hub
