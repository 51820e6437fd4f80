// SPDX-License-Identifier: Apache-2.0
#include "mqtt/packet.hpp"

namespace mqtt {
namespace {

bool is_valid_text(std::string_view text) {
    return !text.empty() && text.size() <= longest_text && text.find('\0') == text.npos &&
           base::is_utf8(text);
}

}  // namespace

bool is_valid_topic(std::string_view topic) {
    return is_valid_text(topic) && topic.find_first_of("#+") == topic.npos;
}

bool is_valid_filter(std::string_view filter) {
    if (!is_valid_text(filter)) return false;
    for (std::size_t i = 0; i < filter.size(); ++i) {
        if (filter[i] != '#' && filter[i] != '+') continue;
        if (i > 0 && filter[i - 1] != '/') return false;
        const bool last = i + 1 == filter.size();
        if (!last && (filter[i] == '#' || filter[i + 1] != '/')) return false;
    }
    return true;
}

bool matches(std::string_view filter, std::string_view topic) {
    // MQTT-4.7.2-1: a leading wildcard does not reach the server's own topics.
    if (topic.starts_with('$') && (filter.starts_with('#') || filter.starts_with('+'))) return false;
    while (true) {
        const auto filter_end = filter.find('/'), topic_end = topic.find('/');
        const auto wanted = filter.substr(0, filter_end);
        if (wanted == "#") return true;
        if (wanted != "+" && wanted != topic.substr(0, topic_end)) return false;
        // `a/#` matches `a` too (section 4.7.1.2).
        if (topic_end == topic.npos) return filter_end == filter.npos || filter.substr(filter_end) == "/#";
        if (filter_end == filter.npos) return false;
        filter.remove_prefix(filter_end + 1);
        topic.remove_prefix(topic_end + 1);
    }
}

}  // namespace mqtt
