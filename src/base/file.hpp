// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace base {

/// Modes of files that we make, whatever the umask (interfaces.md 2).
inline constexpr mode_t secret_mode = 0600;
inline constexpr mode_t public_mode = 0644;
inline constexpr mode_t private_directory_mode = 0700;

/// Reads a whole file of at most `limit` bytes. `what` names it in errors: "certificate", "configuration".
Result<std::string> read_file(const std::filesystem::path& path, std::string_view what,
                              std::size_t limit = 16 * 1024 * 1024);

/// Reads a file that holds a secret. Refuses one that group or others may read or write, with the remedy.
Result<SecretBytes> read_secret_file(const std::filesystem::path& path, std::string_view what,
                                     std::size_t limit = 1024 * 1024);

/// Replaces `path` whole: written beside it with `mode` from birth, synced, renamed, directory synced.
/// After success the new content survives a power cut; after failure the old one is untouched.
Status write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes, mode_t mode);
Status write_atomically(const std::filesystem::path& path, std::string_view text, mode_t mode);

/// Makes the directory and its parents with mode 0700 where they are missing; leaves existing ones alone.
Status make_private_directories(const std::filesystem::path& path);

/// Makes a rename or a new file in `directory` durable.
Status sync_directory(const std::filesystem::path& directory);

/// An exclusive lock on a data directory, held while this object lives; freed by the kernel on any end.
class DirectoryLock {
  public:
    /// Fails with address_in_use, naming the holder's process, where another process holds it.
    static Result<DirectoryLock> take(const std::filesystem::path& directory);
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&& other) noexcept;
    ~DirectoryLock();

  private:
    explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace base
