// SPDX-License-Identifier: Apache-2.0
#include "pki/name.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace pki {
namespace {

constexpr std::size_t longest_label = 63;
constexpr std::size_t longest_host = 253;
constexpr std::size_t longest_uri = 2048;
constexpr std::size_t longest_common_name = 64;

bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool digit(char c) {
    return c >= '0' && c <= '9';
}

// Names come from requests: what is echoed into an error must fit on a line.
std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 80)) out += c >= ' ' && c <= '~' ? c : '?';
    if (text.size() > 80) out += "...";
    return out;
}

auto refuse_name(std::string_view name, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, fmt::format("name {}", shown(name)), std::move(reason),
                      std::move(fix));
}

base::Status check_label(std::string_view name, std::string_view label) {
    if (label.empty())
        return refuse_name(name, "has an empty label", "write it without leading, trailing or double dots");
    if (label.size() > longest_label)
        return refuse_name(
            name, fmt::format("has a label of {} characters, {} are allowed", label.size(), longest_label));
    for (const char c : label) {
        if (letter(c) || digit(c) || c == '-') continue;
        if (c == '_')
            return refuse_name(name, "contains an underscore, which no host name may (RFC 1123)",
                               "use a hyphen, and give the host that name");
        if (c == '*') return refuse_name(name, "has a wildcard that is not the whole first label");
        if (static_cast<unsigned char>(c) >= 0x80)
            return refuse_name(name, "contains a character outside ASCII",
                               "write it in its xn-- form (RFC 5890)");
        return refuse_name(
            name, fmt::format("contains the character {}, which no host name may",
                              c > ' ' && c <= '~' ? fmt::format("'{}'", c) : fmt::format("0x{:02x}", c)));
    }
    if (label.front() == '-' || label.back() == '-')
        return refuse_name(name, "has a label that begins or ends with a hyphen");
    return {};
}

base::Status check_host(std::string_view name, std::string_view host) {
    if (host.empty()) return refuse_name(name, "is empty");
    if (host.size() > longest_host)
        return refuse_name(name, fmt::format("has {} characters, {} are allowed", host.size(), longest_host));
    if (parse_address(host))
        return refuse_name(name, "is an address and not a name", fmt::format("write IP:{}", host));
    if (host.starts_with("*.")) {
        host.remove_prefix(2);
        // With fewer labels OpenSSL and others would never match it.
        if (host.find('.') == std::string_view::npos)
            return refuse_name(name, "has a wildcard above fewer than two labels",
                               "name the hosts one by one");
    }
    const auto labels = base::split(host, '.');
    for (const auto label : labels)
        if (auto fine = check_label(name, label); !fine) return fine;
    if (std::ranges::all_of(labels.back(), digit))
        return refuse_name(name, "ends in a number, so that software takes it for an address");
    return {};
}

base::Status check_uri(std::string_view name, std::string_view uri) {
    if (uri.size() > longest_uri)
        return refuse_name(name, fmt::format("has {} characters, {} are allowed", uri.size(), longest_uri));
    const auto colon = uri.find(':');
    const auto scheme = uri.substr(0, colon);
    if (colon == std::string_view::npos || scheme.empty() || !letter(scheme.front()) ||
        !std::ranges::all_of(
            scheme, [](char c) { return letter(c) || digit(c) || c == '+' || c == '-' || c == '.'; }))
        return refuse_name(name, "has no scheme", "write it as URI:scheme:rest (RFC 3986)");
    const auto rest = uri.substr(colon + 1);
    if (rest.empty() || rest == "//") return refuse_name(name, "has nothing behind its scheme");
    constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
    for (const char c : rest)
        if (!letter(c) && !digit(c) && others.find(c) == std::string_view::npos)
            return refuse_name(name, "contains a character that no URI may", "percent-encode it (RFC 3986)");
    if (!base::percent_decode(rest))
        return refuse_name(name, "has a percent sign without two hex digits behind it");
    return {};
}

}  // namespace

std::optional<base::Bytes> parse_address(std::string_view literal) {
    const std::string text(literal);
    if (text.find('\0') != std::string::npos) return std::nullopt;
    for (const auto& [family, size] : {std::pair{AF_INET, 4U}, std::pair{AF_INET6, 16U}}) {
        base::Bytes octets(size);
        if (::inet_pton(family, text.c_str(), octets.data()) == 1) return octets;
    }
    return std::nullopt;
}

bool is_wildcard(std::string_view text) {
    return text.starts_with("DNS:*");
}

base::Status check_name(std::string_view text) {
    if (text.starts_with("DNS:")) return check_host(text, text.substr(4));
    if (text.starts_with("IP:")) {
        if (parse_address(text.substr(3))) return {};
        return refuse_name(text, "is not an IPv4 or IPv6 address", "write it without port, brackets or zone");
    }
    if (text.starts_with("URI:")) return check_uri(text, text.substr(4));
    return refuse_name(text, "is of no kind that we certify", "write DNS:name, IP:address or URI:uri");
}

base::Status check_common_name(std::string_view text) {
    const auto refuse_it = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, fmt::format("common name \"{}\"", shown(text)),
                          std::move(reason));
    };
    if (text.empty()) return refuse_it("is empty");
    if (!base::is_utf8(text)) return refuse_it("is not UTF-8");
    const auto characters =
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (static_cast<std::size_t>(characters) > longest_common_name)
        return refuse_it(fmt::format("has {} characters, {} are allowed", characters, longest_common_name));
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return refuse_it("contains a control character");
    return {};
}

}  // namespace pki
