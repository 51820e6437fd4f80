// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace base {

/// A table of a TOML document, read key by key. The reader asks for each key it knows; `finish` then reports
/// everything that was wrong at once: values of the wrong type or out of bounds, and every key that nobody
/// asked for, with the nearest known one. Not for concurrent use.
class ConfigTable {
  public:
    /// text: TOML 1.0, at most 1 MiB. name: the file, for errors.
    static Result<ConfigTable> parse(std::string_view text, std::string name);
    static Result<ConfigTable> read(const std::filesystem::path& file);
    /// An empty document, for "no configuration file".
    static ConfigTable empty(std::string name);

    /// Joins a later document into this one: tables merge, arrays join, scalars are replaced (interfaces.md
    /// 2).
    void merge(ConfigTable later);

    /// Each getter returns nullopt where the key is absent; a wrong type or bound is recorded for `finish`.
    std::optional<std::string> string(std::string_view key);
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
    std::optional<bool> boolean(std::string_view key);
    std::optional<std::vector<std::string>> strings(std::string_view key);
    std::optional<ConfigTable> table(std::string_view key);
    std::vector<ConfigTable> tables(std::string_view key);  ///< an array of tables
    /// The keys that are there, for tables whose keys are free (`[preloaded_keys]`).
    std::vector<std::string> keys() const;
    /// What stands there, for keys of several forms (`identity_cert` is a URI or a table). Takes the key as
    /// known.
    enum class Kind { absent, text, array, table, other };
    Kind kind(std::string_view key);
    /// Takes a key as known without reading it, as for settings of the original that we do not have.
    bool known(std::string_view key);
    /// Records that the value of `key` will not do: "is not a file URI".
    void complain(std::string_view key, std::string reason, std::string fix = {});
    /// Where this table stands, for messages: "provisioning.authentication".
    const std::string& path() const;

    /// Fails with every problem of the whole document (not only of this table), one a line.
    Status finish() const;

  private:
    struct Node;
    struct Shared;
    ConfigTable(std::shared_ptr<Shared> shared, std::shared_ptr<Node> node);
    Node* find(std::string_view key);
    std::string full(std::string_view key) const;

    std::shared_ptr<Shared> shared_;
    std::shared_ptr<Node> node_;
};

}  // namespace base
