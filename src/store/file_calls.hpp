// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>

#include "base/file.hpp"

namespace store {

/// The calls by which a log reaches the disk, as the system has them. A test puts others in their place, to
/// let the nth of them fail.
struct FileCalls {
    std::function<ssize_t(int descriptor, const void* bytes, std::size_t size, off_t at)> write_at = ::pwrite;
    std::function<int(int descriptor)> sync = ::fdatasync;
    std::function<int(int descriptor, off_t size)> truncate = ::ftruncate;
    std::function<int(const char* from, const char* to)> rename = ::rename;
    std::function<base::Status(const std::filesystem::path&)> sync_directory = base::sync_directory;
};

}  // namespace store
