// SPDX-License-Identifier: Apache-2.0
#include "azure/message.hpp"

#include <charconv>

namespace azure {
namespace {

/// Takes the text up to the next '/' off the front.
std::string_view next_segment(std::string_view& rest) {
    const auto end = rest.find('/');
    const auto segment = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    return segment;
}

/// The value of $rid in "?$rid=1&...", as it stands; nullopt where there is none.
std::optional<std::string_view> request_id(std::string_view query) {
    if (!query.starts_with('?')) return std::nullopt;
    for (const auto part : base::split(query.substr(1), '&')) {
        if (part.starts_with("$rid=")) return part.substr(5);
    }
    return std::nullopt;
}

/// What follows "$iothub/".
Topic parse_service_topic(std::string_view rest) {
    constexpr std::string_view twin_get = "twin/GET/";
    constexpr std::string_view twin_reported = "twin/PATCH/properties/reported/";
    constexpr std::string_view method_answer = "methods/res/";
    Topic read;
    if (rest.starts_with(twin_get)) {
        read.kind = TopicKind::twin_get;
        rest.remove_prefix(twin_get.size());
    } else if (rest.starts_with(twin_reported)) {
        read.kind = TopicKind::twin_reported;
        rest.remove_prefix(twin_reported.size());
    } else if (rest.starts_with(method_answer)) {
        read.kind = TopicKind::method_answer;
        rest.remove_prefix(method_answer.size());
        const auto status = next_segment(rest);
        const auto [end, error] = std::from_chars(status.begin(), status.end(), read.status);
        if (error != std::errc{} || end != status.end()) return {};
    } else {
        return {};
    }
    const auto id = request_id(rest);
    if (!id) return {};
    read.request = *id;
    return read;
}

}  // namespace

Topic parse_topic(std::string_view topic) {
    constexpr std::string_view service = "$iothub/";
    if (topic.starts_with(service)) return parse_service_topic(topic.substr(service.size()));
    Topic read;
    auto rest = topic;
    if (next_segment(rest) != "devices") return {};
    read.identity.device = next_segment(rest);
    auto word = next_segment(rest);
    if (word == "modules") {
        read.identity.module = next_segment(rest);
        if (read.identity.module.empty()) return {};
        word = next_segment(rest);
    }
    if (read.identity.device.empty() || word != "messages" || next_segment(rest) != "events") return {};
    // The C SDK sends values raw, so a bag may hold slashes; only those around it are none of its own.
    while (rest.starts_with('/')) rest.remove_prefix(1);
    while (rest.ends_with('/')) rest.remove_suffix(1);
    read.bag = rest;
    read.kind = TopicKind::telemetry;
    return read;
}

std::string telemetry_topic(const trust::Identity& identity, const Message& message) {
    std::string topic = "devices/" + identity.device;
    if (identity.is_module()) topic += "/modules/" + identity.module;
    return topic + "/messages/events/" + make_property_bag(message);
}

}  // namespace azure
