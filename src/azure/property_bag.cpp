// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <unordered_set>

#include "azure/message.hpp"
#include "azure/message_headers.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

struct Known {
    std::string_view key, name;
};

// hub.md 3.1 and gateway.md 4.1; the first seven in the order in which Azure writes them.
constexpr std::array<Known, 16> known = {{{"$.to", "to"},
                                          {"$.exp", "expiry"},
                                          {"$.mid", "message-id"},
                                          {"$.cid", "correlation-id"},
                                          {"$.uid", "user-id"},
                                          {"$.ct", "content-type"},
                                          {"$.ce", "content-encoding"},
                                          {"$.on", "output-name"},
                                          {"$.ifid", "interface-id"},
                                          {"$.sub", "dt-subject"},
                                          {"$.ctime", "creation-time"},
                                          {"$.schema", "schema"},
                                          {"$.diagid", "diagnostic-id"},
                                          {"$.diagctx", "diagnostic-context"},
                                          {"$.cdid", "connection-device-id"},
                                          {"$.cmid", "connection-module-id"}}};

std::unexpected<base::Error> bad_bag(std::string reason) {
    return base::fail(base::Code::malformed, "property bag", std::move(reason));
}

base::Result<std::string> decode(std::string_view text) {
    auto decoded = base::percent_decode(text);
    if (!decoded) return bad_bag("has a percent sign that is not followed by two hex digits");
    if (!base::is_utf8(*decoded)) return bad_bag("holds text that is not UTF-8");
    return std::move(*decoded);
}

void append(std::string& bag, std::string_view key, const std::optional<std::string>& value) {
    if (!bag.empty()) bag += '&';
    bag += base::percent_encode(key);
    if (value) bag += '=' + base::percent_encode(*value);
}

}  // namespace

base::Status read_property_bag(std::string_view bag, Message& into) {
    Message read;
    std::unordered_set<std::string> seen;
    while (!bag.empty()) {
        const auto end = bag.find('&');
        const auto part = bag.substr(0, end);
        bag = end == bag.npos ? std::string_view{} : bag.substr(end + 1);
        if (part.empty()) continue;
        const auto equals = part.find('=');
        SP_TRY(return, auto key, decode(part.substr(0, equals)));
        if (key.empty()) return bad_bag("has a value without a name");
        std::optional<std::string> value;
        if (equals != part.npos) {
            SP_TRY(return, value, decode(part.substr(equals + 1)));
        }
        // The first of two equal names counts, as in user names.
        if (!seen.insert(key).second) continue;
        const auto system = std::ranges::find(known, key, &Known::key);
        if (system != known.end()) {
            read.system.emplace_back(system->name, std::move(value));
        } else {
            read.application.emplace_back(std::move(key), std::move(value));
        }
    }
    std::ranges::move(read.system, std::back_inserter(into.system));
    std::ranges::move(read.application, std::back_inserter(into.application));
    return {};
}

std::string make_property_bag(const Message& message) {
    std::string bag;
    for (const auto& [key, name] : known) {
        for (const auto& [property, value] : message.system)
            if (property == name) append(bag, key, value);
    }
    for (const auto& [property, value] : message.application)
        if (property == acknowledgement) append(bag, property, value);
    for (const auto& [property, value] : message.application)
        if (property != acknowledgement) append(bag, property, value);
    return bag;
}

std::size_t message_size(const Message& message) {
    std::size_t sum = message.body.size();
    for (const auto* list : {&message.system, &message.application})
        for (const auto& [name, value] : *list) sum += name.size() + (value ? value->size() : 0);
    return sum;
}

}  // namespace azure
