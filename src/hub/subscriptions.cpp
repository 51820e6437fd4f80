// SPDX-License-Identifier: Apache-2.0
#include "hub/subscriptions.hpp"

#include <algorithm>

#include "azure/filter.hpp"

namespace hub {

namespace {

constexpr std::string_view method_requests = "$iothub/methods/POST/";

/// "name" of `$iothub/methods/POST/name/#`; empty for any other filter.
std::string_view method_name(std::string_view filter) {
    if (!filter.starts_with(method_requests) || !filter.ends_with("/#")) return {};
    filter.remove_prefix(method_requests.size());
    filter.remove_suffix(std::min<std::size_t>(filter.size(), 2));
    return filter;
}

/// Of a filter that is allowed and names no single method.
Feed feed_of(const trust::Identity& identity, std::string_view filter) {
    if (filter == "$iothub/twin/res/#") return Feed::twin_answers;
    if (filter == "$iothub/twin/PATCH/properties/desired/#") return Feed::desired;
    if (filter.starts_with(method_requests)) return Feed::methods;
    return identity.is_module() ? Feed::inputs : Feed::devicebound;
}

}  // namespace

bool Subscriptions::add(const trust::Identity& identity, std::string_view filter, mqtt::Qos qos) {
    if (!azure::may_subscribe(identity, filter)) return false;
    if (const auto name = method_name(filter); !name.empty()) {
        if (std::ranges::find(methods_, name) == methods_.end()) methods_.emplace_back(name);
    } else {
        feeds_[static_cast<std::size_t>(feed_of(identity, filter))] = std::min(qos, mqtt::Qos::at_least_once);
    }
    return true;
}

void Subscriptions::remove(const trust::Identity& identity, std::string_view filter) {
    if (!azure::may_subscribe(identity, filter)) return;
    if (const auto name = method_name(filter); !name.empty())
        std::erase(methods_, name);
    else
        feeds_[static_cast<std::size_t>(feed_of(identity, filter))].reset();
}

std::vector<mqtt::Subscription> Subscriptions::filters(const trust::Identity& identity) const {
    std::vector<mqtt::Subscription> list;
    const auto add = [&](Feed feed, std::string filter) {
        if (const auto qos = to(feed)) list.push_back({std::move(filter), *qos});
    };
    add(Feed::devicebound, "devices/" + identity.device + "/messages/devicebound/#");
    add(Feed::inputs, "devices/" + identity.device + "/modules/" + identity.module + "/inputs/#");
    add(Feed::twin_answers, "$iothub/twin/res/#");
    add(Feed::desired, "$iothub/twin/PATCH/properties/desired/#");
    add(Feed::methods, std::string(method_requests) + "#");
    for (const auto& name : methods_)
        list.push_back({std::string(method_requests) + name + "/#", mqtt::Qos::at_least_once});
    return list;
}

bool Subscriptions::to_method(std::string_view name) const {
    return to(Feed::methods) || std::ranges::find(methods_, name) != methods_.end();
}

}  // namespace hub
