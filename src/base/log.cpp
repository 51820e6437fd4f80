// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"

namespace base::log {
namespace {

struct Settings {
    Format format = Format::text;
    std::string role;
    std::shared_ptr<spdlog::logger> logger;
};

// The log sink is the one thing that is process-wide (style.md 11).
Settings& settings() {
    static Settings instance = [] {
        Settings made;
        made.logger =
            std::make_shared<spdlog::logger>("sallyport", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made.logger->set_pattern("%v");
        made.logger->set_level(spdlog::level::info);
        made.logger->flush_on(spdlog::level::trace);
        return made;
    }();
    return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string_view name(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
    }
    return "info";
}

std::string json_string(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) {
        const auto u = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (u < 0x20 || u == 0x7f) {
            out += fmt::format("\\u{:04x}", u);
        } else {
            out += c;
        }
    }
    out += '"';
    return is_utf8(out) ? out : fmt::format("\"hex:{}\"", to_hex(as_bytes(value)));
}

std::string plain_or_quoted(std::string_view value) {
    if (value.empty()) return "\"\"";
    for (const char c : value) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._:/@$+%,;()[]").find(c) != std::string_view::npos;
        if (!plain) return json_string(value);
    }
    return std::string(value);
}

void put(Level level, std::string_view event, const std::vector<const Field*>& fields) {
    auto& s = settings();
    if (!s.logger->should_log(to_spdlog(level))) return;
    const auto when = format_rfc3339_ms(system_clock().now_ms());
    std::string line;
    if (s.format == Format::json) {
        line = fmt::format(R"({{"time":"{}","level":"{}","role":{},"event":{})", when, name(level),
                           json_string(s.role), json_string(event));
        for (const auto* f : fields)
            line += fmt::format(",{}:{}", json_string(f->key), json_string(f->value));
        line += '}';
    } else {
        line = fmt::format("{} {} {} {}", when, name(level), s.role, event);
        for (const auto* f : fields) line += fmt::format(" {}={}", f->key, plain_or_quoted(f->value));
    }
    s.logger->log(to_spdlog(level), "{}", line);
}

}  // namespace

void configure(Level least, Format format, std::string_view role) {
    auto& s = settings();
    s.format = format;
    s.role = role;
    s.logger->set_level(to_spdlog(least));
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    std::vector<const Field*> all;
    for (const auto& f : fields) all.push_back(&f);
    put(level, event, all);
}

void write(Level level, std::string_view event, const Error& error, std::initializer_list<Field> fields) {
    const Field code{"code", std::string(to_string(error.code))};
    const Field thing{"thing", error.thing}, reason{"reason", error.reason}, fix{"fix", error.fix};
    std::vector<const Field*> all;
    for (const auto& f : fields) all.push_back(&f);
    all.insert(all.end(), {&code, &thing, &reason});
    if (!error.fix.empty()) all.push_back(&fix);
    put(level, event, all);
}

std::optional<Level> parse_level(std::string_view text) {
    for (const auto level : {Level::debug, Level::info, Level::warning, Level::error})
        if (name(level) == text) return level;
    return std::nullopt;
}

std::optional<Format> parse_format(std::string_view text) {
    if (text == "text") return Format::text;
    if (text == "json") return Format::json;
    return std::nullopt;
}

}  // namespace base::log
