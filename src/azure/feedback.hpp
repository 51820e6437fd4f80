// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "azure/cloud_message.hpp"

namespace azure {

/// What became of a cloud-to-device message (hub.md 7).
enum class Outcome { success, expired, delivery_count_exceeded, rejected, purged };
/// "DeliveryCountExceeded".
std::string_view to_string(Outcome outcome);
/// Whether a sender that asked for `ack` is told.
bool is_wanted(Ack ack, Outcome outcome);

struct FeedbackRecord {
    std::string message_id;  ///< empty: null
    Millis at{};             ///< when the outcome was decided
    Outcome outcome = Outcome::success;
    std::string device;
    std::string generation;
};
/// {"originalMessageId","enqueuedTimeUtc","statusCode","description","deviceId","deviceGenerationId"}
std::string to_json(const FeedbackRecord& record);

inline constexpr std::string_view feedback_type = "application/vnd.microsoft.iothub.feedback.json";
inline constexpr std::size_t most_feedback_records = 64;   ///< in one feedback message
inline constexpr std::chrono::seconds feedback_delay{15};  ///< the longest that a record waits for others

}  // namespace azure
