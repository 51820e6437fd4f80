// SPDX-License-Identifier: Apache-2.0
#include "azure/feedback.hpp"

#include <boost/json.hpp>

#include "base/clock.hpp"

namespace azure {

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::success:
            return "Success";
        case Outcome::expired:
            return "Expired";
        case Outcome::delivery_count_exceeded:
            return "DeliveryCountExceeded";
        case Outcome::rejected:
            return "Rejected";
        case Outcome::purged:
            return "Purged";
    }
    return "Success";
}

bool is_wanted(Ack ack, Outcome outcome) {
    switch (ack) {
        case Ack::none:
            return false;
        case Ack::positive:
            return outcome == Outcome::success;
        case Ack::negative:
            return outcome != Outcome::success;
        case Ack::full:
            return true;
    }
    return false;
}

std::string to_json(const FeedbackRecord& record) {
    boost::json::object json;
    json["originalMessageId"] =
        record.message_id.empty() ? boost::json::value() : boost::json::value(record.message_id);
    json["enqueuedTimeUtc"] = base::format_rfc3339_ms(record.at);
    json["statusCode"] = std::string(to_string(record.outcome));
    json["description"] = std::string(to_string(record.outcome));
    json["deviceId"] = record.device;
    json["deviceGenerationId"] = record.generation;
    return boost::json::serialize(json);
}

}  // namespace azure
