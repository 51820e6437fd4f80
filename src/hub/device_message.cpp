// SPDX-License-Identifier: Apache-2.0
#include "hub/device_message.hpp"

#include <boost/json.hpp>
#include <utility>

#include "azure/message_headers.hpp"
#include "base/encoding.hpp"
#include "hub/telemetry.hpp"

namespace hub {

namespace {

constexpr std::string_view batch_type = "application/vnd.microsoft.iothub.json";
constexpr std::size_t most_in_batch = 500;

std::unexpected<Refusal> bad(std::string text) {
    return std::unexpected(Refusal{azure::ErrorCode::iot_hub_format_error, std::move(text)});
}

std::expected<azure::Message, Refusal> read_item(const boost::json::value& value) {
    const auto* item = value.if_object();
    const auto* body = item == nullptr ? nullptr : item->if_contains("body");
    if (body == nullptr || !body->is_string()) return bad("an element of the batch has no text at body");
    azure::Message message;
    const std::string_view text = body->get_string();
    const auto* encoded = item->if_contains("base64Encoded");
    if (encoded != nullptr && !encoded->is_bool())
        return bad("a base64Encoded of the batch is no truth value");
    if (encoded != nullptr && !encoded->get_bool()) {
        const auto bytes = base::as_bytes(text);
        message.body.assign(bytes.begin(), bytes.end());
    } else {
        auto bytes = base::from_base64(text);
        if (!bytes) return bad("a body of the batch is not base64");
        message.body = *std::move(bytes);
    }
    const auto* properties = item->if_contains("properties");
    if (properties == nullptr || properties->is_null()) return message;
    if (!properties->is_object()) return bad("properties of the batch are no object");
    for (const auto& [name, property] : properties->get_object()) {
        if (!property.is_string()) return bad("a property of the batch is no text");
        if (auto fine = azure::add_message_header(message, name, std::string(property.get_string())); !fine)
            return bad(fine.error().text());
    }
    return message;
}

std::expected<std::vector<azure::Message>, Refusal> read_batch(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    if (failed || !value.is_array()) return bad("the batch is not a JSON array");
    if (value.get_array().size() > most_in_batch) return bad("the batch holds more than 500 messages");
    std::vector<azure::Message> messages;
    for (const auto& element : value.get_array()) {
        auto message = read_item(element);
        if (!message) return std::unexpected(std::move(message).error());
        messages.push_back(*std::move(message));
    }
    return messages;
}

std::expected<std::vector<azure::Message>, Refusal> read_single(const http::Request& request) {
    auto message = read_message(request);
    if (!message) return std::unexpected(std::move(message).error());
    std::vector<azure::Message> messages;
    messages.push_back(*std::move(message));
    return messages;
}

}  // namespace

std::expected<azure::Message, Refusal> read_message(const http::Request& request) {
    azure::Message message;
    for (const auto& [name, value] : request.headers.all()) {
        if (auto fine = azure::add_message_header(message, name, value); !fine)
            return bad(fine.error().text());
    }
    const auto bytes = base::as_bytes(request.body);
    message.body.assign(bytes.begin(), bytes.end());
    return message;
}

std::expected<std::vector<azure::Message>, Refusal> read_device_messages(const http::Request& request) {
    const auto type = request.headers.get("Content-Type").value_or("");
    const bool batch = base::equal_ignoring_case(base::trim(type.substr(0, type.find(';'))), batch_type);
    auto messages = batch ? read_batch(request.body) : read_single(request);
    if (!messages) return messages;
    std::size_t size = 0;
    for (const auto& message : *messages) size += azure::message_size(message);
    if (size > azure::largest_message) {
        return std::unexpected(Refusal{azure::ErrorCode::message_too_large,
                                       std::to_string(size) + " octets of bodies and properties, at most " +
                                           std::to_string(azure::largest_message) + " are allowed"});
    }
    return messages;
}

}  // namespace hub
