// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "trust/record.hpp"

/// How single members of the service's documents are written.
namespace azure {

inline boost::json::value text_or_null(std::string_view text) {
    if (text.empty()) return nullptr;
    return boost::json::string(text);
}

inline boost::json::value thumbprint_text(const std::optional<trust::Thumbprint>& value) {
    if (!value) return nullptr;
    return boost::json::string(value->text());
}

/// The epoch stands for "never", which Azure writes as the first moment of .NET.
inline std::string time_text(base::Instant when) {
    return when == base::Instant{} ? "0001-01-01T00:00:00Z" : base::format_rfc3339(when);
}

/// "2026-11-24T09:00:00.1230000Z", with seven digits as .NET writes them.
inline std::string format_ticks(std::chrono::sys_time<std::chrono::milliseconds> when) {
    auto text = base::format_rfc3339_ms(when);
    text.pop_back();
    return text + "0000Z";
}

inline boost::json::string_view connection_state(bool connected) {
    return connected ? "Connected" : "Disconnected";
}

inline boost::json::string_view status_text(trust::Enablement status) {
    return status == trust::Enablement::enabled ? "enabled" : "disabled";
}

}  // namespace azure
