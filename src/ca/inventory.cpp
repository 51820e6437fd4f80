// SPDX-License-Identifier: Apache-2.0
#include "ca/inventory.hpp"

#include <algorithm>
#include <utility>

namespace ca {
namespace {

constexpr std::array<std::pair<Reason, std::string_view>, 9> reason_names{{
    {Reason::unspecified, "unspecified"},
    {Reason::key_compromise, "keyCompromise"},
    {Reason::ca_compromise, "CACompromise"},
    {Reason::affiliation_changed, "affiliationChanged"},
    {Reason::superseded, "superseded"},
    {Reason::cessation_of_operation, "cessationOfOperation"},
    {Reason::certificate_hold, "certificateHold"},
    {Reason::privilege_withdrawn, "privilegeWithdrawn"},
    {Reason::aa_compromise, "AACompromise"},
}};

std::string_view kind_text(Actor::Kind kind) {
    switch (kind) {
        case Actor::Kind::command:
            return "command";
        case Actor::Kind::bootstrap:
            return "bootstrap";
        case Actor::Kind::est_identity:
            return "est-id";
        case Actor::Kind::issued:
            return "issued";
        case Actor::Kind::user:
            return "user";
    }
    return "unknown";
}

}  // namespace

std::string Actor::text() const {
    return std::string(kind_text(kind)) + ":" + id;
}

std::string_view to_string(Reason reason) {
    for (const auto& [each, name] : reason_names)
        if (each == reason) return name;
    return "unspecified";
}

std::optional<Reason> parse_reason(std::string_view text) {
    for (const auto& [reason, name] : reason_names)
        if (base::equal_ignoring_case(name, text)) return reason;
    return std::nullopt;
}

std::vector<std::string> reason_list() {
    std::vector<std::string> all;
    for (const auto& [reason, name] : reason_names) all.emplace_back(name);
    return all;
}

std::optional<std::string> parse_serial(std::string_view text) {
    text = base::trim(text);
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    std::string digits;
    for (const char c : text)
        if (c != ':') digits += c;
    if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
    const auto octets = base::from_hex(digits);
    if (!octets || octets->empty()) return std::nullopt;
    const auto first = std::ranges::find_if(*octets, [](std::byte octet) { return octet != std::byte{0}; });
    if (first == octets->end()) return "00";
    return base::to_hex(std::span(first, octets->end()));
}

std::string serial_of(const pki::Certificate& certificate) {
    return parse_serial(certificate.serial_hex()).value_or("00");
}

}  // namespace ca
