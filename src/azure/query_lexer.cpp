// SPDX-License-Identifier: Apache-2.0
#include "azure/query_lexer.hpp"

#include <charconv>
#include <cmath>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure::query {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
/// Beyond ASCII everything is a letter: keys of twins are Unicode.
bool starts_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (static_cast<unsigned char>(c) & 0x80) != 0;
}

class Lexer {
  public:
    explicit Lexer(std::string_view query) : query_(query) {}

    base::Result<std::vector<Token>> all() {
        std::vector<Token> tokens;
        while (true) {
            while (at_ < query_.size() && is_space(query_[at_])) ++at_;
            Token token;
            token.position = at_ + 1;
            if (at_ == query_.size()) {
                tokens.push_back(std::move(token));
                return tokens;
            }
            if (auto read = next(token); !read) return std::unexpected(read.error());
            tokens.push_back(std::move(token));
        }
    }

  private:
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
    }

    base::Status next(Token& token) {
        const char c = peek();
        if (c == '\'' || c == '"') return string(token);
        if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) return number(token);
        if (starts_word(c)) return word(token);
        if (c == '[' && peek(1) == '[') return escaped_name(token);
        return symbol(token);
    }

    base::Status word(Token& token) {
        const auto begin = at_;
        while (at_ < query_.size() && (starts_word(peek()) || is_digit(peek()))) ++at_;
        token.kind = Token::Kind::word;
        token.text = query_.substr(begin, at_ - begin);
        return {};
    }

    base::Status escaped_name(Token& token) {
        const auto end = query_.find("]]", at_ + 2);
        if (end == std::string_view::npos)
            return fail_at(token.position, "a name in [[ has no end", "close it with ]]");
        token.kind = Token::Kind::name;
        token.text = query_.substr(at_ + 2, end - at_ - 2);
        if (token.text.empty()) return fail_at(token.position, "a name in [[ ]] is empty");
        at_ = end + 2;
        return {};
    }

    base::Status string(Token& token) {
        const char quote = query_[at_++];
        token.kind = Token::Kind::text;
        while (at_ < query_.size()) {
            const char c = query_[at_++];
            if (c == quote) {
                if (peek() != quote) return {};
                token.text += quote;
                ++at_;
            } else if (c == '\\') {
                if (auto read = escape(token.text); !read) return read;
            } else {
                token.text += c;
            }
        }
        return fail_at(token.position, "a string has no end", std::string("close it with ") + quote);
    }

    base::Status escape(std::string& out) {
        const auto position = at_;
        if (at_ == query_.size()) return fail_at(position, "a string has no end");
        const char c = query_[at_++];
        constexpr std::string_view letters = "bfnrt", meanings = "\b\f\n\r\t";
        if (const auto found = letters.find(c); found != std::string_view::npos) {
            out += meanings[found];
        } else if (c == '\\' || c == '\'' || c == '"' || c == '/') {
            out += c;
        } else if (c == 'u') {
            return unicode(out, position);
        } else {
            return fail_at(position, std::string("\\") + c + " is no escape", "a backslash is written \\\\");
        }
        return {};
    }

    /// The four digits of \uXXXX; nullopt where they are none.
    std::optional<unsigned> four_digits() {
        unsigned code = 0;
        const auto digits = query_.substr(std::min(at_, query_.size()), 4);
        const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (digits.size() < 4 || error != std::errc{} || rest != digits.data() + 4) return std::nullopt;
        at_ += 4;
        return code;
    }

    base::Status unicode(std::string& out, std::size_t position) {
        auto code = four_digits();
        if (code && *code >= 0xd800 && *code < 0xdc00 && peek() == '\\' && peek(1) == 'u') {
            at_ += 2;
            const auto low = four_digits();
            if (!low || *low < 0xdc00 || *low > 0xdfff) return fail_at(position, "half a surrogate pair");
            code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
        }
        if (!code || (*code >= 0xd800 && *code <= 0xdfff))
            return fail_at(position, "\\u has no character of four hex digits");
        append_utf8(out, *code);
        return {};
    }

    static void append_utf8(std::string& out, unsigned code) {
        const auto put = [&](unsigned octet) { out += static_cast<char>(octet); };
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xc0 | (code >> 6));
            put(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            put(0xe0 | (code >> 12));
            put(0x80 | ((code >> 6) & 0x3f));
            put(0x80 | (code & 0x3f));
        } else {
            put(0xf0 | (code >> 18));
            put(0x80 | ((code >> 12) & 0x3f));
            put(0x80 | ((code >> 6) & 0x3f));
            put(0x80 | (code & 0x3f));
        }
    }

    base::Status number(Token& token) {
        token.kind = Token::Kind::number;
        const auto begin = at_;
        if (peek() == '+' || peek() == '-') ++at_;
        const bool hexadecimal = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
        if (hexadecimal) at_ += 2;
        while (at_ < query_.size()) {
            const char c = peek();
            const bool sign = (c == '+' || c == '-') && (query_[at_ - 1] == 'e' || query_[at_ - 1] == 'E');
            if (!is_digit(c) && !starts_word(c) && c != '.' && !(sign && !hexadecimal)) break;
            ++at_;
        }
        token.text = query_.substr(begin, at_ - begin);
        auto digits = std::string_view(token.text);
        if (digits.starts_with('+')) digits.remove_prefix(1);
        const bool read =
            hexadecimal ? hexadecimal_value(digits, token.value) : decimal_value(digits, token.value);
        if (!read) return fail_at(token.position, "\"" + token.text + "\" is no number");
        return {};
    }

    static bool hexadecimal_value(std::string_view digits, boost::json::value& value) {
        const bool negative = digits.starts_with('-');
        digits.remove_prefix(negative ? 3 : 2);
        std::int64_t whole = 0;
        const auto* end = digits.data() + digits.size();
        const auto [rest, error] = std::from_chars(digits.data(), end, whole, 16);
        if (error != std::errc{} || rest != end || digits.starts_with('-')) return false;
        value = negative ? -whole : whole;
        return true;
    }

    static bool decimal_value(std::string_view digits, boost::json::value& value) {
        const auto* end = digits.data() + digits.size();
        std::int64_t whole = 0;
        const auto integer = std::from_chars(digits.data(), end, whole);
        if (integer.ec == std::errc{} && integer.ptr == end) {
            value = whole;
            return true;
        }
        double real = 0;
        const auto floating = std::from_chars(digits.data(), end, real);
        if (floating.ec != std::errc{} || floating.ptr != end || !std::isfinite(real)) return false;
        value = real;
        return true;
    }

    base::Status symbol(Token& token) {
        token.kind = Token::Kind::symbol;
        for (const std::string_view two : {"!=", "<>", "<=", ">="}) {
            if (query_.substr(at_).starts_with(two)) {
                token.text = two;
                at_ += 2;
                return {};
            }
        }
        constexpr std::string_view known = ".,()[]*=<>";
        if (known.find(peek()) == std::string_view::npos)
            return fail_at(token.position, std::string("the character ") + peek() + " has no meaning here",
                           "put a name that holds it into [[ ]], and a text into quotes");
        token.text = peek();
        ++at_;
        return {};
    }

    std::string_view query_;
    std::size_t at_ = 0;
};

}  // namespace

std::unexpected<base::Error> fail_at(std::size_t position, std::string reason, std::string fix) {
    return base::fail(base::Code::invalid_argument, "query at position " + std::to_string(position),
                      std::move(reason), std::move(fix));
}

base::Result<std::vector<Token>> tokens_of(std::string_view query) {
    if (!base::is_utf8(query)) return fail_at(1, "the text is not UTF-8");
    return Lexer(query).all();
}

}  // namespace azure::query
