// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "check/finding.hpp"

namespace check {

/// A user who is to have access, with all its groups.
struct Reader {
    std::string name;
    uid_t uid;
    std::vector<gid_t> groups;
};

/// What the file system tells of a path.
struct Entry {
    std::filesystem::path path;
    mode_t mode;  ///< with its type
    uid_t owner;
    gid_t group;
};
/// Not following a link at the end.
base::Result<Entry> look_at(const std::filesystem::path& path);

/// A private key: for its owner alone, who is `owner` or root.
Finding judge_key_mode(const Entry& entry, std::optional<uid_t> owner);
/// A socket or directory whose mode and owner are told. owner nullopt: not looked at.
Finding judge_mode(const std::string& thing, const Entry& entry, mode_t mode, std::optional<uid_t> owner,
                   const std::string& owner_name);

/// Whether `mode` lets the reader have `wanted` (4 read, 2 write, 1 execute); root is let everywhere.
bool may(const Reader& reader, const Entry& entry, int wanted);
/// Whether the reader can read the file: every directory above passed, links followed.
Finding judge_readable(const std::string& thing, const std::filesystem::path& file, const Reader& reader);

}  // namespace check
