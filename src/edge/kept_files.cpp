// SPDX-License-Identifier: Apache-2.0
#include "edge/kept_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace edge {

base::Status remove_leftovers(const std::filesystem::path& directory) {
    std::error_code why;
    std::vector<std::filesystem::path> left;
    for (const auto& entry : std::filesystem::directory_iterator(directory, why)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with('.') && name.ends_with(".new")) left.push_back(entry.path());
    }
    for (const auto& file : left)
        if (::unlink(file.c_str()) != 0 && errno != ENOENT)
            return base::fail_errno(errno, "file " + file.string(), "removed");
    return {};
}

base::Status set_aside(const std::filesystem::path& file, std::string_view reason) {
    const auto aside = file.string() + ".damaged";
    if (std::rename(file.c_str(), aside.c_str()) != 0)
        return base::fail_errno(errno, "damaged file " + file.string(), "put aside");
    base::log::warning(base::events::file_set_aside,
                       {{"path", file.string()},
                        {"reason", std::string(reason)},
                        {"fix", fmt::format("a new one takes its place; the old one is {}", aside)}});
    return base::sync_directory(file.parent_path());
}

base::Status remove_durably(const std::filesystem::path& file, std::string_view what) {
    if (::unlink(file.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return base::fail_errno(errno, fmt::format("{} {}", what, file.string()), "removed");
    }
    return base::sync_directory(file.parent_path());
}

}  // namespace edge
