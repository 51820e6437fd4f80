// SPDX-License-Identifier: Apache-2.0
#include "crl/url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.hpp"

namespace crl {
namespace {

constexpr std::size_t longest = 2048;

std::optional<std::uint16_t> port_of(std::string_view digits) {
    unsigned value = 0;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end || value == 0 || value > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(value);
}

/// Takes "host:port", "[::1]:port" apart; false where it is neither.
bool read_authority(std::string_view authority, Url& into) {
    std::string_view rest;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return false;
        into.host = authority.substr(1, end - 1);
        rest = authority.substr(end + 1);
    } else {
        const auto end = std::min(authority.find(':'), authority.size());
        into.host = authority.substr(0, end);
        rest = authority.substr(end);
    }
    if (into.host.empty() || into.host.find('@') != std::string::npos) return false;
    if (rest.empty()) return true;
    if (!rest.starts_with(':')) return false;
    const auto port = port_of(rest.substr(1));
    if (!port) return false;
    into.port = *port;
    return true;
}

}  // namespace

base::Result<Url> parse_url(std::string_view text) {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, "URL " + std::string(text), std::move(reason),
                          "write it as http://HOST:PORT/crl/NAME.crl");
    };
    const bool plain =
        std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '#' && c != '"'; });
    if (!plain || text.size() > longest) return refuse("is not a URL of a CRL");
    Url url;
    url.text = text;
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return refuse("has no scheme");
    const auto scheme = base::to_lower(text.substr(0, scheme_end));
    url.tls = scheme == "https";
    if (!url.tls && scheme != "http") return refuse("is neither http nor https");
    url.port = url.tls ? 443 : 80;
    const auto rest = text.substr(scheme_end + 3);
    const auto path = std::min(rest.find_first_of("/?"), rest.size());
    if (!read_authority(rest.substr(0, path), url)) return refuse("has no host and port that can be read");
    url.target = rest.substr(path);
    if (!url.target.starts_with('/')) url.target.insert(url.target.begin(), '/');
    return url;
}

}  // namespace crl
