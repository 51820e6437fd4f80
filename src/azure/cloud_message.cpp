// SPDX-License-Identifier: Apache-2.0
#include "azure/cloud_message.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "azure/document_text.hpp"
#include "azure/message_headers.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

constexpr std::size_t longest_message_id = 128;
constexpr std::size_t longest_topic = 65'535;

constexpr std::array<std::pair<std::string_view, Ack>, 4> acks{
    {{"none", Ack::none}, {"positive", Ack::positive}, {"negative", Ack::negative}, {"full", Ack::full}}};

std::unexpected<base::Error> bad(std::string_view property, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, "property " + std::string(property), std::move(reason),
                      std::move(fix));
}

base::Result<Ack> read_ack(std::string_view text) {
    for (const auto& [word, ack] : acks)
        if (base::equal_ignoring_case(word, text)) return ack;
    return bad(acknowledgement, "is none of none, positive, negative and full");
}

base::Result<Millis> read_expiry(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number >= 0)
        return Millis(std::chrono::milliseconds(number));
    const auto moment = base::parse_rfc3339(text);
    if (!moment)
        return bad("expiry", "is neither RFC 3339 nor milliseconds since 1970",
                   "write it as 2026-11-25T10:00:00Z");
    return Millis(*moment);
}

/// Takes every property of that name out; the value of the first.
std::optional<std::string> take(Properties& list, std::string_view name) {
    std::optional<std::string> found;
    for (const auto& [key, value] : list)
        if (key == name && !found) found = value.value_or(std::string());
    std::erase_if(list, [&](const auto& property) { return property.first == name; });
    return found;
}

/// With what the hub adds, as it goes to the device.
Message addressed(std::string_view device, const CloudMessage& message) {
    Message out;
    out.system.emplace_back("to", "/devices/" + base::percent_encode(device) + "/messages/devicebound");
    if (message.expiry) out.system.emplace_back("expiry", format_ticks(*message.expiry));
    std::ranges::copy(message.message.system, std::back_inserter(out.system));
    if (message.ack != Ack::none)
        out.application.emplace_back(std::string(acknowledgement), std::string(to_string(message.ack)));
    std::ranges::copy(message.message.application, std::back_inserter(out.application));
    return out;
}

}  // namespace

std::string_view to_string(Ack ack) {
    for (const auto& [word, value] : acks)
        if (value == ack) return word;
    return "none";
}

std::string CloudMessage::id() const {
    for (const auto& [name, value] : message.system)
        if (name == "message-id") return value.value_or(std::string());
    return {};
}

base::Result<CloudMessage> make_cloud_message(Message message, std::string_view device) {
    CloudMessage made;
    if (const auto ack = take(message.application, acknowledgement)) {
        SP_TRY(return, made.ack, read_ack(*ack));
    }
    if (const auto expiry = take(message.system, "expiry"); expiry && !expiry->empty()) {
        SP_TRY(return, made.expiry, read_expiry(*expiry));
    }
    take(message.system, "to");
    for (const auto& [name, value] : message.application) {
        // "$." would stand in the bag like a system property.
        if (name.empty() || name.starts_with("$.") || !base::is_utf8(name))
            return bad(name, "is no name that an application property may have");
        if (value && !base::is_utf8(*value)) return bad(name, "holds text that is not UTF-8");
    }
    for (const auto& [name, value] : message.system) {
        if (value && !base::is_utf8(*value)) return bad(name, "holds text that is not UTF-8");
        if (name == "message-id" && value && value->size() > longest_message_id)
            return bad(name, "has more than 128 characters");
    }
    if (const auto size = message_size(message); size > largest_cloud_message) {
        return base::fail(base::Code::too_large, "cloud-to-device message",
                          "has " + std::to_string(size) + " octets of body and properties",
                          "send at most " + std::to_string(largest_cloud_message));
    }
    made.message = std::move(message);
    auto longest = made;
    longest.expiry = Millis{};
    if (devicebound_topic(device, longest).size() > longest_topic) {
        return base::fail(base::Code::too_large, "cloud-to-device message",
                          "has properties that make a topic of more than 65535 octets",
                          "put some of it into the body");
    }
    return made;
}

std::optional<Millis> expiry_of(const CloudMessage& message, Millis now, std::chrono::seconds usual_life) {
    const auto expiry = message.expiry.value_or(now + usual_life);
    if (expiry <= now || expiry > now + longest_message_life) return std::nullopt;
    return expiry;
}

std::string devicebound_topic(std::string_view device, const CloudMessage& message) {
    return "devices/" + std::string(device) + "/messages/devicebound/" +
           make_property_bag(addressed(device, message));
}

std::vector<std::pair<std::string, std::string>> devicebound_headers(std::string_view device,
                                                                     const Delivery& delivery) {
    auto headers = message_headers(addressed(device, delivery.message));
    headers.emplace_back("iothub-enqueuedtime", format_ticks(delivery.enqueued));
    headers.emplace_back("iothub-sequencenumber", std::to_string(delivery.sequence));
    headers.emplace_back("iothub-deliverycount", std::to_string(delivery.abandoned));
    return headers;
}

}  // namespace azure
