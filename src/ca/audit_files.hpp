// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "store/file_calls.hpp"

namespace ca {

/// The files of the audit log: numbered ones with its entries, and the heads, which have the number 0. Text
/// is written where the database says that it belongs, so that writing it again is harmless.
class AuditFiles {
  public:
    AuditFiles(std::filesystem::path directory, store::FileCalls calls)
        : directory_(std::move(directory)), calls_(std::move(calls)) {}
    AuditFiles(const AuditFiles&) = delete;
    AuditFiles& operator=(const AuditFiles&) = delete;
    ~AuditFiles();

    static constexpr std::uint64_t heads = 0;
    static std::filesystem::path path(const std::filesystem::path& directory, std::uint64_t file);
    std::filesystem::path path(std::uint64_t file) const { return path(directory_, file); }

    /// disk_full may pass; every other failure of a write or sync is for good, since the kernel may have
    /// dropped what it could not write.
    base::Status write(std::uint64_t file, std::uint64_t at, std::string_view text);
    /// Makes durable what was written since.
    base::Status sync();

  private:
    base::Result<int> opened(std::uint64_t file);

    std::filesystem::path directory_;
    store::FileCalls calls_;
    std::map<std::uint64_t, int> descriptors_;
    std::vector<std::uint64_t> written_;
    bool made_one_ = false;
};

}  // namespace ca
