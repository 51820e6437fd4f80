// SPDX-License-Identifier: Apache-2.0
#include "est/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace est {
namespace {

constexpr std::array<std::pair<Operation, std::string_view>, 6> operations{{
    {Operation::cacerts, "cacerts"},
    {Operation::csrattrs, "csrattrs"},
    {Operation::simpleenroll, "simpleenroll"},
    {Operation::simplereenroll, "simplereenroll"},
    {Operation::serverkeygen, "serverkeygen"},
    {Operation::fullcmc, "fullcmc"},
}};
constexpr std::string_view well_known = ".well-known";
constexpr std::size_t longest_label = 64;
constexpr std::size_t libest_columns = 64;

std::optional<Operation> parse_operation(std::string_view text) {
    for (const auto& [operation, name] : operations)
        if (name == text) return operation;
    return std::nullopt;
}

auto bad_path(std::string reason) {
    return base::fail(base::Code::malformed, "path", std::move(reason));
}
auto no_path() {
    return base::fail(base::Code::not_found, "path", "is none of this server",
                      "EST is at /.well-known/est[/LABEL]/OPERATION");
}

base::Result<std::string> decode_segment(std::string_view raw) {
    auto text = base::percent_decode(raw);
    if (!text) return bad_path("has a bad percent escape");
    for (const char c : *text)
        if (c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return bad_path("has a character that stands in no name");
    if (*text == "." || *text == "..") return bad_path("has a dot segment");
    return *std::move(text);
}

base::Result<std::vector<std::string>> segments_of(std::string_view raw) {
    if (!raw.starts_with('/')) return bad_path("does not begin with a slash");
    const auto parts = base::split(raw.substr(1), '/');
    std::vector<std::string> segments;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        // strongSwan puts its operation behind a prefix that may end in a slash of its own.
        if (parts[i].empty() && i + 1 < parts.size() && parts[i + 1] == well_known) continue;
        if (parts[i].empty() && i + 1 < parts.size()) return bad_path("has an empty segment");
        SP_TRY(return, auto segment, decode_segment(parts[i]));
        segments.push_back(std::move(segment));
    }
    return segments;
}

base::Result<Path> path_of(std::string_view label, std::string_view operation) {
    const auto known = parse_operation(operation);
    if (!known || (!label.empty() && !is_label(label))) return no_path();
    return Path{std::string(label), *known};
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

auto bad_body(std::string reason, std::string fix = {}) {
    return base::fail(base::Code::malformed, "body", std::move(reason), std::move(fix));
}

/// What stands between the lines of a PEM request.
base::Result<std::string_view> armoured(std::string_view text) {
    for (const std::string_view kind : {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}) {
        const auto begin = fmt::format("-----BEGIN {}-----", kind);
        const auto end = fmt::format("-----END {}-----", kind);
        const auto from = text.find(begin);
        if (from == std::string_view::npos) continue;
        const auto content = from + begin.size();
        const auto to = text.find(end, content);
        if (to == std::string_view::npos) return bad_body("is a PEM request without its last line");
        if (text.find("-----BEGIN", content) != std::string_view::npos)
            return bad_body("holds more than one PEM block");
        return text.substr(content, to - content);
    }
    return bad_body("is a PEM text without a certificate request");
}

}  // namespace

std::string_view to_string(Operation operation) {
    for (const auto& [each, name] : operations)
        if (each == operation) return name;
    return "unknown";
}

bool is_label(std::string_view text) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= longest_label && std::ranges::all_of(text, fits) &&
           !parse_operation(text);
}

base::Result<Path> read_path(std::string_view raw) {
    SP_TRY(return, const auto all, segments_of(raw));
    if (all.size() == 3 && all[0] == well_known && all[1] == "est") return path_of({}, all[2]);
    if (all.size() == 4 && all[0] == well_known && all[1] == "est") {
        if (all[2].empty()) return no_path();
        return path_of(all[2], all[3]);
    }
    if (all.size() == 4 && all[1] == well_known && all[2] == "est") return path_of(all[0], all[3]);
    return no_path();
}

base::Result<base::Bytes> read_body(std::string_view body, bool* pem) {
    if (pem) *pem = false;
    auto text = body;
    if (text.find("-----BEGIN") != std::string_view::npos) {
        SP_TRY(return, text, armoured(text));
        if (pem) *pem = true;
    }
    if (text.size() > 1 && text.front() == '0' && (static_cast<unsigned char>(text[1]) & 0x80U) != 0)
        return bad_body("is DER", "send it in base64 (openssl base64 -A)");
    std::string compact;
    compact.reserve(text.size());
    for (const char c : text) {
        if (is_blank(c)) continue;
        if (!is_base64(c) && c != '=')
            return bad_body(fmt::format("has the byte 0x{:02x}, which is not base64",
                                        static_cast<unsigned>(static_cast<unsigned char>(c))));
        compact += c;
    }
    if (compact.empty()) return bad_body("is empty");
    if (compact.size() % 4 != 0)
        return bad_body(fmt::format("has {} characters of base64, which is no multiple of 4", compact.size()),
                        "send all of it");
    auto bytes = base::from_base64(compact);
    if (!bytes) return bad_body("has padding that is not base64");
    return *std::move(bytes);
}

std::string write_body(std::span<const std::byte> der, std::string_view user_agent) {
    auto line = base::to_base64(der);
    if (!user_agent.starts_with("libest")) return line + '\n';
    // libest's reader loses the front of a long line without an error (est-and-pki.md 1.4).
    std::string lines;
    for (std::size_t at = 0; at < line.size(); at += libest_columns)
        lines.append(line, at, libest_columns).append("\n");
    return lines;
}

}  // namespace est
