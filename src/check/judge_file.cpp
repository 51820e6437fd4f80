// SPDX-License-Identifier: Apache-2.0
#include "check/judge_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace check {
namespace {

constexpr mode_t permission_bits = 07777;

Entry entry_of(const std::filesystem::path& path, const struct stat& found) {
    return {path, found.st_mode, found.st_uid, found.st_gid};
}

base::Result<Entry> look_through(const std::filesystem::path& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) == 0) return entry_of(path, found);
    return base::fail_errno(errno, path.string(), "looked at");
}

}  // namespace

base::Result<Entry> look_at(const std::filesystem::path& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0) return entry_of(path, found);
    return base::fail_errno(errno, path.string(), "looked at");
}

Finding judge_key_mode(const Entry& entry, std::optional<uid_t> owner) {
    const auto path = entry.path.string();
    if ((entry.mode & 077) != 0)
        return error(fmt::format("key {} may be used by others than its owner (mode {:04o})", path,
                                 entry.mode & permission_bits),
                     fmt::format("run chmod 600 {} and replace the key if others could read it", path));
    if (owner && entry.owner != *owner && entry.owner != 0)
        return error(fmt::format("key {} belongs to the user {}", path, entry.owner),
                     fmt::format("run chown {} {}", *owner, path));
    return ok("");
}

Finding judge_mode(const std::string& thing, const Entry& entry, mode_t mode, std::optional<uid_t> owner,
                   const std::string& owner_name) {
    const auto path = entry.path.string();
    if ((entry.mode & permission_bits & ~mode_t{S_ISGID}) != mode)
        return error(
            fmt::format("{} {} has mode {:04o}, not {:04o}", thing, path, entry.mode & permission_bits, mode),
            fmt::format("run chmod {:o} {}", mode, path));
    if (owner && entry.owner != *owner)
        return error(
            fmt::format("{} {} belongs to the user {}, not to {}", thing, path, entry.owner, owner_name),
            fmt::format("run chown {0}:{0} {1}", owner_name, path));
    return ok("");
}

bool may(const Reader& reader, const Entry& entry, int wanted) {
    if (reader.uid == 0) return true;
    const auto bits = static_cast<int>(entry.mode & 0777);
    if (reader.uid == entry.owner) return ((bits >> 6) & wanted) == wanted;
    if (std::ranges::find(reader.groups, entry.group) != reader.groups.end())
        return ((bits >> 3) & wanted) == wanted;
    return (bits & wanted) == wanted;
}

Finding judge_readable(const std::string& thing, const std::filesystem::path& file, const Reader& reader) {
    std::error_code why;
    auto real = std::filesystem::canonical(file, why);
    if (why) real = file;
    std::filesystem::path above;
    for (const auto& part : real.parent_path()) {
        above /= part;
        const auto entry = look_through(above);
        if (!entry) return failed(entry.error(), "put the file there, or name another in config.toml");
        if (!may(reader, *entry, 1))
            return error(
                fmt::format("{} {} cannot be reached by {}: directory {} (mode {:04o}) does not let it "
                            "pass",
                            thing, file.string(), reader.name, above.string(), entry->mode & permission_bits),
                fmt::format("run chmod o+x {}, or move the file where {} can read it", above.string(),
                            reader.name));
    }
    const auto entry = look_through(real);
    if (!entry) return failed(entry.error(), "put the file there, or name another in config.toml");
    if (!may(reader, *entry, 4))
        return error(fmt::format("{} {} cannot be read by {} (mode {:04o}, user {})", thing, file.string(),
                                 reader.name, entry->mode & permission_bits, entry->owner),
                     fmt::format("run chown {} {}", reader.name, file.string()));
    return ok("");
}

}  // namespace check
