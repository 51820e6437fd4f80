// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.hpp"
#include "pki/digest.hpp"

namespace ca {
namespace {

constexpr std::size_t longest_value = 1024;
constexpr std::byte entry_prefix{0x00};

void escape_unit(std::string& into, unsigned unit) {
    fmt::format_to(std::back_inserter(into), "\\u{:04x}", unit);
}

void escape_point(std::string& into, std::uint32_t point) {
    if (point >= 0x10000) {
        escape_unit(into, 0xD800 + ((point - 0x10000) >> 10));
        escape_unit(into, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
        escape_unit(into, point);
    }
}

/// The code point at `at` of well-formed UTF-8; moves `at` behind it.
std::uint32_t next_point(std::string_view text, std::size_t& at) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = octet(at);
    const std::size_t more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    std::uint32_t point = more == 0 ? first : first & (0x3FU >> more);
    for (std::size_t i = 1; i <= more; ++i) point = point << 6 | (octet(at + i) & 0x3FU);
    at += more + 1;
    return point;
}

void add_text(std::string& into, std::string_view key, std::string_view value) {
    into += ",\"";
    into += key;
    into += "\":\"";
    if (value.size() <= longest_value) {
        into += escaped(value);
    } else {
        into += escaped(value.substr(0, longest_value));
        into += " [cut, sha256 " + base::to_hex(pki::sha256(base::as_bytes(value))) + "]";
    }
    into += '"';
}

Sha256 entry_hash(std::string_view hashed) {
    std::string whole(1, static_cast<char>(entry_prefix));
    whole += hashed;
    return pki::sha256(base::as_bytes(whole));
}

/// Takes the fixed form apart piece by piece; once something is not as expected, nothing is any more.
class LineReader {
  public:
    explicit LineReader(std::string_view text) : text_(text) {}

    void expect(std::string_view piece) {
        if (good_ && text_.substr(at_).starts_with(piece))
            at_ += piece.size();
        else
            good_ = false;
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        if (!good_) return 0;
        const char* begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
        good_ = error == std::errc{} && (*begin != '0' || end == begin + 1);
        at_ += static_cast<std::size_t>(end - begin);
        return value;
    }
    std::string text(std::string_view key) {
        expect(",\"");
        expect(key);
        expect("\":\"");
        std::string value;
        while (good_) {
            const auto end = text_.find_first_of("\"\\", at_);
            value += text_.substr(at_, end - at_);
            at_ = std::min(end, text_.size());
            if (at_ == text_.size()) good_ = false;
            if (!good_ || text_[at_] == '"') break;
            value += escape();
        }
        ++at_;
        return value;
    }
    Sha256 digest(std::string_view key) {
        const auto written = text(key);
        const auto bytes = base::from_hex(written);
        Sha256 result{};
        if (!bytes || bytes->size() != result.size() || base::to_hex(*bytes) != written)
            good_ = false;
        else
            std::copy(bytes->begin(), bytes->end(), result.begin());
        return result;
    }
    std::string_view seen() const { return text_.substr(0, at_); }
    bool good() const { return good_; }
    bool at_end() const { return good_ && at_ == text_.size(); }

  private:
    std::uint32_t unit() {
        std::uint32_t value = 0;
        if (text_.size() - at_ < 6 || text_[at_] != '\\' || text_[at_ + 1] != 'u') {
            good_ = false;
            return 0;
        }
        const char* begin = text_.data() + at_ + 2;
        const auto [end, error] = std::from_chars(begin, begin + 4, value, 16);
        if (error != std::errc{} || end != begin + 4) good_ = false;
        at_ += 6;
        return value;
    }
    std::string escape() {
        std::uint32_t point = unit();
        if (good_ && point >= 0xD800 && point < 0xDC00)
            point = 0x10000 + ((point - 0xD800) << 10) + (unit() - 0xDC00);
        std::string out;
        if (point < 0x80)
            out += static_cast<char>(point);
        else if (point < 0x800)
            out += {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 0x3F))};
        else if (point < 0x10000)
            out += {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3F)),
                    static_cast<char>(0x80 | (point & 0x3F))};
        else
            out +=
                {static_cast<char>(0xF0 | (point >> 18 & 7)), static_cast<char>(0x80 | (point >> 12 & 0x3F)),
                 static_cast<char>(0x80 | (point >> 6 & 0x3F)), static_cast<char>(0x80 | (point & 0x3F))};
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool good_ = true;
};

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    const bool utf8 = base::is_utf8(text);
    for (std::size_t at = 0; at < text.size();) {
        const auto octet = static_cast<unsigned char>(text[at]);
        if (octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\') {
            result += text[at++];
        } else if (utf8) {
            escape_point(result, next_point(text, at));
        } else {
            escape_unit(result, octet);
            ++at;
        }
    }
    return result;
}

std::string format(AuditLine& line) {
    std::string text = fmt::format("{{\"v\":1,\"seq\":{}", line.seq);
    text.reserve(640);
    add_text(text, "t", line.time);
    add_text(text, "kind", line.kind);
    add_text(text, "actor", line.actor);
    add_text(text, "peer", line.peer);
    add_text(text, "label", line.label);
    add_text(text, "profile", line.profile);
    add_text(text, "reason", line.reason);
    add_text(text, "serial", line.serial);
    add_text(text, "cert", line.certificate);
    add_text(text, "spki", line.spki);
    add_text(text, "subject", line.subject);
    add_text(text, "detail", line.detail);
    add_text(text, "prev", base::to_hex(line.prev));
    text += ',';
    line.hash = entry_hash(text);
    text += "\"hash\":\"" + base::to_hex(line.hash) + "\"}";
    return text;
}

base::Result<AuditLine> parse_audit_line(std::string_view text) {
    AuditLine line;
    LineReader reader(text);
    reader.expect("{\"v\":1,\"seq\":");
    line.seq = reader.number();
    line.time = reader.text("t");
    line.kind = reader.text("kind");
    line.actor = reader.text("actor");
    line.peer = reader.text("peer");
    line.label = reader.text("label");
    line.profile = reader.text("profile");
    line.reason = reader.text("reason");
    line.serial = reader.text("serial");
    line.certificate = reader.text("cert");
    line.spki = reader.text("spki");
    line.subject = reader.text("subject");
    line.detail = reader.text("detail");
    line.prev = reader.digest("prev");
    reader.expect(",");
    if (!reader.good())
        return base::fail(base::Code::malformed, "audit entry", "is not in the form that entries have");
    line.hash = entry_hash(reader.seen());
    reader.expect("\"hash\":\"" + base::to_hex(line.hash) + "\"}");
    if (!reader.at_end())
        return base::fail(base::Code::malformed, "audit entry", "does not have the hash of its content");
    return line;
}

}  // namespace ca
