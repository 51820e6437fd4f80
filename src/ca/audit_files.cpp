// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "base/result.hpp"

namespace ca {

AuditFiles::~AuditFiles() {
    for (const auto& [file, descriptor] : descriptors_) ::close(descriptor);
}

std::filesystem::path AuditFiles::path(const std::filesystem::path& directory, std::uint64_t file) {
    return directory / (file == heads ? "heads.jsonl" : fmt::format("log-{:06}.jsonl", file));
}

base::Result<int> AuditFiles::opened(std::uint64_t file) {
    if (const auto known = descriptors_.find(file); known != descriptors_.end()) return known->second;
    const auto name = path(file);
    std::error_code ignored;
    const bool there = std::filesystem::exists(name, ignored);
    const int descriptor =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, base::secret_mode);
    if (descriptor < 0) return base::fail_errno(errno, "audit log " + name.string(), "opened");
    made_one_ = made_one_ || !there;
    // Of the numbered ones only the newest is written.
    if (file != heads)
        std::erase_if(descriptors_, [](const auto& each) {
            if (each.first == heads) return false;
            ::close(each.second);
            return true;
        });
    descriptors_[file] = descriptor;
    return descriptor;
}

base::Status AuditFiles::write(std::uint64_t file, std::uint64_t at, std::string_view text) {
    SP_TRY(return, const int descriptor, opened(file));
    while (!text.empty()) {
        const auto put = calls_.write_at(descriptor, text.data(), text.size(), static_cast<off_t>(at));
        if (put < 0) {
            if (errno == EINTR) continue;
            return base::fail_errno(errno, "audit log " + path(file).string(), "written",
                                    errno == ENOSPC ? "free some space on this disk" : "");
        }
        text.remove_prefix(static_cast<std::size_t>(put));
        at += static_cast<std::uint64_t>(put);
    }
    if (std::ranges::find(written_, file) == written_.end()) written_.push_back(file);
    return {};
}

base::Status AuditFiles::sync() {
    for (const auto file : written_) {
        const auto known = descriptors_.find(file);
        if (known == descriptors_.end()) continue;
        if (calls_.sync(known->second) != 0)
            return base::fail_errno(errno, "audit log " + path(file).string(), "synced");
    }
    written_.clear();
    if (!made_one_) return {};
    if (auto synced = calls_.sync_directory(directory_); !synced) return synced;
    made_one_ = false;
    return {};
}

}  // namespace ca
