// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace base::log {

/// error: someone must act. warning: someone will have to. info: life cycle. debug: the rest.
enum class Level { debug, info, warning, error };
enum class Format { text, json };

/// One fact of an event. The value is quoted as needed; control characters are escaped, so that a peer
/// cannot forge a line.
struct Field {
    std::string_view key;
    std::string value;
};

/// Process-wide, set once at start; writes to standard error.
void configure(Level least, Format format, std::string_view role);

/// Writes `event key=value ...`, one line. `event` is an id of base/events.hpp ("session.refused").
void write(Level level, std::string_view event, std::initializer_list<Field> fields);
/// The same for an Error: adds code, thing, reason and fix.
void write(Level level, std::string_view event, const Error& error, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::warning, event, fields);
}
inline void error(std::string_view event, const Error& why, std::initializer_list<Field> fields = {}) {
    write(Level::error, event, why, fields);
}

std::optional<Level> parse_level(std::string_view text);
std::optional<Format> parse_format(std::string_view text);

}  // namespace base::log
