// SPDX-License-Identifier: Apache-2.0
#include "azure/message.hpp"

namespace azure {
namespace {

/// Takes the text up to the next '/' off the front.
std::string_view next_segment(std::string_view& rest) {
    const auto end = rest.find('/');
    const auto segment = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    return segment;
}

}  // namespace

Topic parse_topic(std::string_view topic) {
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
