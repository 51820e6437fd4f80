// SPDX-License-Identifier: Apache-2.0
#include "http/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.hpp"

namespace http {

namespace {

bool is_framing(std::string_view name) {
    static constexpr std::array<std::string_view, 6> names = {
        "Content-Length", "Transfer-Encoding", "Connection", "Host", "Date", "Keep-Alive"};
    return std::ranges::any_of(names, [&](auto framing) { return base::equal_ignoring_case(framing, name); });
}

/// No value can end its line: a CR or LF in it would let whoever chose the value write fields of his own.
void append_field(std::string& out, std::string_view name, std::string_view value) {
    for (const char c : name) out += static_cast<unsigned char>(c) > 0x20 && c != ':' && c != 0x7f ? c : '-';
    out += ": ";
    for (const char c : value)
        out += (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t' ? c : ' ';
    out += "\r\n";
}

void append_fields(std::string& out, const Headers& headers) {
    for (const auto& [name, value] : headers.all()) {
        if (!is_framing(name)) append_field(out, name, value);
    }
}

}  // namespace

std::string write_response(const Response& response, const Framing& framing) {
    const bool bodiless = response.status / 100 == 1 || response.status == 204 || response.status == 304;
    std::string out;
    out.reserve(256 + (bodiless || framing.omit_body ? 0 : response.body.size()));
    out += "HTTP/1.1 " + std::to_string(response.status) + " ";
    out += reason_phrase(response.status);
    out += "\r\n";
    if (!framing.date.empty()) append_field(out, "Date", framing.date);
    append_fields(out, response.headers);
    const bool counted = framing.length == Framing::Length::counted;
    if (framing.length == Framing::Length::chunked) append_field(out, "Transfer-Encoding", "chunked");
    if (!bodiless && counted) append_field(out, "Content-Length", std::to_string(response.body.size()));
    if (response.status == 101) {
        append_field(out, "Connection", "Upgrade");
    } else if (framing.close) {
        append_field(out, "Connection", "close");
    } else if (framing.keep_1_0) {
        append_field(out, "Connection", "keep-alive");
    }
    out += "\r\n";
    if (!bodiless && !framing.omit_body) out += response.body;
    return out;
}

std::string write_chunk(std::string_view piece) {
    char size[2 * sizeof(std::size_t)];
    const auto [end, error] = std::to_chars(size, size + sizeof size, piece.size(), 16);
    std::string out(size, end);
    out += "\r\n";
    out += piece;
    out += "\r\n";
    return out;
}

std::string write_request(const Request& request, std::string_view host, bool keep_alive) {
    std::string out(to_string(request.verb));
    out += ' ';
    for (const char c : request.raw_target) {
        if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) {
            out += c;
        } else {
            out += base::percent_encode(std::string_view(&c, 1));
        }
    }
    out += " HTTP/1.1\r\n";
    append_field(out, "Host", host);
    append_fields(out, request.headers);
    const bool usually_has_body =
        request.verb == Verb::post || request.verb == Verb::put || request.verb == Verb::patch;
    if (usually_has_body || !request.body.empty()) {
        append_field(out, "Content-Length", std::to_string(request.body.size()));
    }
    if (!keep_alive) append_field(out, "Connection", "close");
    out += "\r\n";
    out += request.body;
    return out;
}

}  // namespace http
