// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace trust {

/// A device, or a module of a device, as the hub names it. Ids are case-sensitive (hub.md 2.1).
struct Identity {
    std::string device;
    std::string module;  ///< empty for the device itself

    bool is_module() const { return !module.empty(); }
    /// "TempSensor" or "EdgeGateway/$edgeHub".
    std::string text() const { return module.empty() ? device : device + "/" + module; }
    /// What text() wrote, not checked.
    static Identity of(std::string_view text) {
        const auto slash = text.find('/');
        if (slash == text.npos) return {std::string(text), {}};
        return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
    }
    auto operator<=>(const Identity&) const = default;
};

/// 1 to 128 characters of the set in hub.md 2.1. kind: "device id" or "module id", for the error.
base::Status check_id(std::string_view id, std::string_view kind);

}  // namespace trust

template <>
struct std::hash<trust::Identity> {
    std::size_t operator()(const trust::Identity& id) const noexcept {
        return std::hash<std::string>{}(id.device) * 31 + std::hash<std::string>{}(id.module);
    }
};
