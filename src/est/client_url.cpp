// SPDX-License-Identifier: Apache-2.0
#include "est/client_url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.hpp"

namespace est {
namespace {

constexpr std::string_view how_a_url_reads = "write it as https://host[:port]/.well-known/est/LABEL";

std::unexpected<base::Error> no_url(std::string_view text, std::string reason) {
    return base::fail(base::Code::invalid_argument, fmt::format("EST URL {}", text), std::move(reason),
                      std::string(how_a_url_reads));
}

bool is_path_character(char c) {
    return c > ' ' && c < '\x7f' && std::string_view("\"<>\\^`{|}?#").find(c) == std::string_view::npos;
}

}  // namespace

std::string Url::origin() const {
    const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == 443 ? fmt::format("https://{}", name) : fmt::format("https://{}:{}", name, port);
}

base::Result<Url> parse_url(std::string_view text) {
    constexpr std::string_view scheme = "https://";
    const auto given = base::to_lower(text.substr(0, scheme.size()));
    if (given.starts_with("http://"))
        return no_url(text, "is not encrypted, so that anybody on the way could answer");
    if (given != scheme) return no_url(text, "is no https URL");
    auto rest = text.substr(scheme.size());
    const auto slash = rest.find('/');
    auto authority = rest.substr(0, slash);
    auto path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (!std::ranges::all_of(path, is_path_character))
        return no_url(text, "has a query, a fragment or a character that no path may have");
    if (authority.find('@') != std::string_view::npos)
        return no_url("with a user name",
                      "must not hold credentials: they belong into username and password");
    Url out;
    out.path = path;
    auto port = std::string_view();
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return no_url(text, "has no ] behind its address");
        out.host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
    } else {
        const auto colon = authority.find(':');
        out.host = authority.substr(0, colon);
        port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    }
    const auto is_host_character = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == ':';
    };
    if (out.host.empty() || !std::ranges::all_of(out.host, is_host_character))
        return no_url(text, "has no host that could be connected to");
    if (port.empty()) return out;
    port.remove_prefix(1);
    unsigned number = 0;
    const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (wrong != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535)
        return no_url(text, "has a port that is no number from 1 to 65535");
    out.port = static_cast<std::uint16_t>(number);
    return out;
}

}  // namespace est
