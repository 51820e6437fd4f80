// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edge {

/// Writes a TOML document line by line; values are quoted and escaped (TOML 1.0 basic strings).
class TomlText {
  public:
    /// "[a.b]"; each part is quoted as needed.
    TomlText& table(const std::vector<std::string>& path);
    TomlText& array_table(std::string_view name);
    TomlText& set(std::string_view key, std::string_view value);
    TomlText& set(std::string_view key, const char* value) { return set(key, std::string_view(value)); }
    TomlText& set(std::string_view key, std::int64_t value);
    TomlText& set(std::string_view key, bool value);
    TomlText& set(std::string_view key, const std::vector<std::string>& values);
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

}  // namespace edge
