// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azure/message.hpp"
#include "base/error.hpp"

namespace azure {

/// A moment in UTC, to the millisecond.
using Millis = std::chrono::sys_time<std::chrono::milliseconds>;

/// Of what a sender wants to hear (`iothub-ack`): nothing, that the device took the message, that it did not,
/// or both.
enum class Ack { none, positive, negative, full };
std::string_view to_string(Ack ack);

/// A cloud-to-device message as its sender wishes it (hub.md 3.2).
struct CloudMessage {
    Message message;  ///< without `to`, `expiry` and `iothub-ack`, which stand beside it or are the hub's
    Ack ack = Ack::none;
    std::optional<Millis> expiry;

    /// Empty: the sender gave none.
    std::string id() const;
};

/// Body and properties together.
inline constexpr std::size_t largest_cloud_message = 64 * 1024;

/// Takes `iothub-ack` and `expiry` (RFC 3339, or milliseconds since 1970) out of the properties and checks
/// the rest. Errors: too_large over 64 KiB, or where the property bag is longer than an MQTT topic may be;
/// invalid_argument with the property for anything else.
base::Result<CloudMessage> make_cloud_message(Message message, std::string_view device);

inline constexpr std::chrono::seconds longest_message_life = std::chrono::hours(48);
/// When a message expires that is enqueued at `now`: as wished, after `usual_life` where nothing is. nullopt:
/// the wish has passed already, or is more than two days off.
std::optional<Millis> expiry_of(const CloudMessage& message, Millis now,
                                std::chrono::seconds usual_life = std::chrono::hours(1));

/// A message on its way to its device.
struct Delivery {
    CloudMessage message;  ///< with the expiry that counts
    std::uint64_t sequence = 0;
    Millis enqueued{};
    int abandoned = 0;  ///< how often the device has given it back
};

/// "devices/{d}/messages/devicebound/" + bag, in Azure's order: `%24.to`, `%24.exp` with seven fraction
/// digits, which C# needs, the other system properties, `iothub-ack`, the application properties.
std::string devicebound_topic(std::string_view device, const CloudMessage& message);
/// The headers of hub.md 4 for a device that receives over HTTPS, the lock token (ETag) not among them.
std::vector<std::pair<std::string, std::string>> devicebound_headers(std::string_view device,
                                                                     const Delivery& delivery);

}  // namespace azure
