// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/packet.hpp"
#include "trust/identity.hpp"

namespace hub {

/// What the hub sends to a device or module by itself (hub.md 3.2 to 3.5).
enum class Feed { devicebound, inputs, twin_answers, desired, methods };

/// What one session has subscribed to, each with the QoS that was granted.
class Subscriptions {
  public:
    /// False where the identity may not subscribe to the filter (hub.md 3.6); then nothing changes.
    bool add(const trust::Identity& identity, std::string_view filter, mqtt::Qos qos);
    void remove(const trust::Identity& identity, std::string_view filter);
    /// The QoS to send with; nullopt: not subscribed.
    std::optional<mqtt::Qos> to(Feed feed) const { return feeds_[static_cast<std::size_t>(feed)]; }
    /// Of a direct method: subscribed to all, or to this one by name.
    bool to_method(std::string_view name) const;
    /// Filters that `add` makes the same of.
    std::vector<mqtt::Subscription> filters(const trust::Identity& identity) const;
    bool operator==(const Subscriptions&) const = default;

  private:
    std::array<std::optional<mqtt::Qos>, 5> feeds_{};
    std::vector<std::string> methods_;  ///< subscribed to by name
};

}  // namespace hub
