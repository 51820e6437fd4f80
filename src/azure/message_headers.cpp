// SPDX-License-Identifier: Apache-2.0
#include "azure/message_headers.hpp"

#include <algorithm>
#include <array>

namespace azure {
namespace {

constexpr std::string_view application_prefix = "iothub-app-";

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> system_headers{
    {{"iothub-messageid", "message-id"},
     {"iothub-correlationid", "correlation-id"},
     {"iothub-userid", "user-id"},
     {"iothub-to", "to"},
     {"iothub-expiry", "expiry"},
     {"iothub-contenttype", "content-type"},
     {"iothub-contentencoding", "content-encoding"},
     {"iothub-interface-id", "interface-id"},
     {"dt-subject", "dt-subject"}}};

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != marks.npos;
    });
}

/// Blanks around a value would be lost on the way.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }) &&
           (text.empty() || (text.front() != ' ' && text.back() != ' '));
}

}  // namespace

base::Status add_message_header(Message& message, std::string_view header, std::string value) {
    std::string_view name;
    auto* list = &message.application;
    if (base::equal_ignoring_case(header.substr(0, application_prefix.size()), application_prefix)) {
        name = header.substr(application_prefix.size());
    } else if (base::equal_ignoring_case(header, acknowledgement)) {
        name = acknowledgement;
    } else {
        const auto* known = std::ranges::find_if(
            system_headers, [&](const auto& pair) { return base::equal_ignoring_case(header, pair.first); });
        if (known == system_headers.end()) return {};
        name = known->second;
        list = &message.system;
    }
    const auto thing = [&] { return "property " + std::string(header); };
    if (name.empty()) return base::fail(base::Code::malformed, thing(), "has no name");
    if (!base::is_utf8(value)) return base::fail(base::Code::malformed, thing(), "is not UTF-8");
    const auto same = [&](const auto& property) { return property.first == name; };
    if (std::ranges::none_of(*list, same)) list->emplace_back(name, std::move(value));
    return {};
}

std::vector<std::pair<std::string, std::string>> message_headers(const Message& message) {
    std::vector<std::pair<std::string, std::string>> headers;
    const auto add = [&](std::string name, const std::optional<std::string>& value) {
        const auto& text = value.value_or(std::string());
        headers.emplace_back(std::move(name), is_plain(text) ? text : base::percent_encode(text));
    };
    for (const auto& [header, property] : system_headers) {
        for (const auto& [name, value] : message.system)
            if (name == property) add(std::string(header), value);
    }
    for (const auto& [name, value] : message.application) {
        if (name == acknowledgement)
            add(name, value);
        else
            add(std::string(application_prefix) + (is_token(name) ? name : base::percent_encode(name)),
                value);
    }
    return headers;
}

}  // namespace azure
