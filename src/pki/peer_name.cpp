// SPDX-License-Identifier: Apache-2.0
#include "pki/peer_name.hpp"

#include <algorithm>

#include "pki/name.hpp"

namespace pki {
namespace {

bool is_label_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

PeerName PeerName::parse(std::string_view text) {
    PeerName name;
    name.text_ = std::string(text);
    auto literal = text;
    if (literal.size() > 2 && literal.starts_with('[') && literal.ends_with(']'))
        literal = literal.substr(1, literal.size() - 2);
    if (auto octets = parse_address(literal)) name.address_ = *std::move(octets);
    return name;
}

bool dns_name_matches(std::string_view presented, std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (!is_dns_name(host) || !is_dns_name(presented, Wildcard::allowed)) return false;
    if (!presented.starts_with("*.")) return base::equal_ignoring_case(presented, host);
    presented.remove_prefix(1);
    const auto first_dot = host.find('.');
    return std::ranges::count(presented, '.') >= 2 && first_dot != std::string_view::npos &&
           base::equal_ignoring_case(presented, host.substr(first_dot));
}

bool is_dns_name(std::string_view name, Wildcard wildcard) {
    if (name.empty() || name.size() > 253) return false;
    if (wildcard == Wildcard::allowed && name.starts_with("*.")) name.remove_prefix(2);
    std::size_t label = 0;
    for (const char c : name) {
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
        } else if (!is_label_character(c) || ++label > 63) {
            return false;
        }
    }
    return label != 0;
}

}  // namespace pki
