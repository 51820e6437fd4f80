// SPDX-License-Identifier: Apache-2.0
#include "pki/name_subtree.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "pki/peer_name.hpp"

namespace pki {
namespace {

bool equals_or_is_below(std::string_view name, std::string_view base) {
    if (base.empty()) return true;
    if (name.size() == base.size()) return base::equal_ignoring_case(name, base);
    return name.size() > base.size() && name[name.size() - base.size() - 1] == '.' &&
           base::equal_ignoring_case(name.substr(name.size() - base.size()), base);
}

// Of a host with a constraint of e-mail or URI: exact, or with a dot in front every host below, but not
// itself.
bool host_is_within(std::string_view host, std::string_view base) {
    if (!base.starts_with('.')) return base.empty() || base::equal_ignoring_case(host, base);
    return host.size() > base.size() &&
           base::equal_ignoring_case(host.substr(host.size() - base.size()), base);
}

bool is_host_subtree(std::string_view base) {
    if (base.starts_with('.'))
        base.remove_prefix(1);
    else if (base.empty())
        return true;
    return is_dns_name(base);
}

bool is_contiguous(Octets mask) {
    bool ended = false;
    for (const unsigned char octet : mask)
        for (int bit = 7; bit >= 0; --bit) {
            const bool set = (octet >> bit & 1) != 0;
            if (set && ended) return false;
            ended = ended || !set;
        }
    return true;
}

}  // namespace

// A leading dot is tolerated by many, and wrong: RFC 5280 gives it a meaning for URI and e-mail alone.
bool is_dns_subtree(std::string_view base) {
    return base.empty() || is_dns_name(base);
}

bool dns_is_within(std::string_view name, std::string_view base, Subtree kind) {
    if (!name.starts_with("*.")) return equals_or_is_below(name, base);
    const auto suffix = name.substr(2);
    if (equals_or_is_below(suffix, base)) return true;
    // `*` stands for one label: an excluded name exactly one label below the suffix is among those that it
    // covers.
    return kind == Subtree::excluded && base.size() > suffix.size() + 1 && equals_or_is_below(base, suffix) &&
           base.substr(0, base.size() - suffix.size() - 1).find('.') == std::string_view::npos;
}

bool is_mailbox(std::string_view name) {
    const auto at = name.find('@');
    return at != std::string_view::npos && at != 0 && is_dns_name(name.substr(at + 1));
}

bool is_email_subtree(std::string_view base) {
    return base.find('@') == std::string_view::npos ? is_host_subtree(base) : is_mailbox(base);
}

bool email_is_within(std::string_view name, std::string_view base) {
    const auto at = name.find('@');
    const auto base_at = base.find('@');
    if (base_at == std::string_view::npos) return host_is_within(name.substr(at + 1), base);
    return name.substr(0, at) == base.substr(0, base_at) &&
           base::equal_ignoring_case(name.substr(at + 1), base.substr(base_at + 1));
}

bool is_uri_subtree(std::string_view base) {
    return is_host_subtree(base);
}

std::string_view uri_host(std::string_view uri) {
    const auto mark = uri.find("://");
    if (mark == std::string_view::npos) return {};
    auto host = uri.substr(mark + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const auto user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
    host = host.substr(0, host.find(':'));
    return is_dns_name(host) && !PeerName::parse(host).is_address() ? host : std::string_view();
}

bool uri_host_is_within(std::string_view host, std::string_view base) {
    return host_is_within(host, base);
}

bool is_address_subtree(Octets base) {
    return (base.size() == 8 || base.size() == 32) && is_contiguous(base.subspan(base.size() / 2));
}

bool address_is_within(Octets address, Octets base) {
    if (base.size() != 2 * address.size()) return false;
    for (std::size_t i = 0; i < address.size(); ++i) {
        const auto mask = base[address.size() + i];
        if ((address[i] & mask) != (base[i] & mask)) return false;
    }
    return true;
}

}  // namespace pki
