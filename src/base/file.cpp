// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "base/result.hpp"

namespace base {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

template <class Buffer, class Check>
Result<Buffer> read_with(const std::filesystem::path& path, std::string_view what, std::size_t limit,
                         const Check& check) {
    const std::string thing = fmt::format("{} {}", what, path.string());
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return fail_errno(errno, thing, "opened");
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) return fail_errno(errno, thing, "inspected");
    if (S_ISDIR(info.st_mode)) return fail(Code::invalid_argument, thing, "is a directory", "name a file");
    if (auto allowed = check(info, thing); !allowed) return std::unexpected(std::move(allowed).error());
    const auto expected = static_cast<std::size_t>(info.st_size);
    if (expected > limit) return fail(Code::too_large, thing, fmt::format("is larger than {} bytes", limit));
    // One byte more than the size told, so that the end is seen and a file that grows is noticed.
    Buffer content(Buffer(std::string_view{}));
    std::size_t used = 0;
    std::vector<std::byte> bytes(S_ISREG(info.st_mode) ? expected + 1 : limit + 1);
    for (;;) {
        const auto got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
        if (got < 0) {
            if (errno == EINTR) continue;
            const int why = errno;
            wipe(bytes.data(), bytes.size());
            return fail_errno(why, thing, "read");
        }
        if (got == 0) break;
        used += static_cast<std::size_t>(got);
        if (used > limit) {
            wipe(bytes.data(), bytes.size());
            return fail(Code::too_large, thing, fmt::format("is larger than {} bytes", limit));
        }
        if (used == bytes.size()) {
            std::vector<std::byte> larger(std::min(bytes.size() * 2, limit + 1));
            std::copy(bytes.begin(), bytes.end(), larger.begin());
            wipe(bytes.data(), bytes.size());
            bytes = std::move(larger);
        }
    }
    content = Buffer(as_text(std::span(bytes).first(used)));
    wipe(bytes.data(), bytes.size());
    return content;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::string_view what, std::size_t limit) {
    return read_with<std::string>(path, what, limit,
                                  [](const struct stat&, const std::string&) { return Status{}; });
}

Result<SecretBytes> read_secret_file(const std::filesystem::path& path, std::string_view what,
                                     std::size_t limit) {
    return read_with<SecretBytes>(
        path, what, limit, [&](const struct stat& info, const std::string& thing) -> Status {
            if ((info.st_mode & 077) == 0) return {};
            return fail(
                Code::permission_denied, thing,
                fmt::format("may be used by others than its owner (mode {:04o})", info.st_mode & 07777),
                fmt::format("run chmod 600 {} and replace the key if others could read it", path.string()));
        });
}

Status sync_directory(const std::filesystem::path& directory) {
    const Descriptor handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (handle.get() < 0) return fail_errno(errno, "directory " + directory.string(), "opened");
    if (::fsync(handle.get()) != 0) return fail_errno(errno, "directory " + directory.string(), "synced");
    return {};
}

Status write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes, mode_t mode) {
    static std::atomic<unsigned> counter{0};
    const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const auto beside =
        directory / fmt::format(".{}.{}.{}.new", path.filename().string(), ::getpid(), counter++);
    const std::string thing = "file " + path.string();
    const auto give_up = [&](int why, std::string_view doing) {
        ::unlink(beside.c_str());
        return fail_errno(why, thing, doing, why == ENOSPC ? "free some space on this disk" : "");
    };
    {
        // Created unreadable to others, then given its mode, so that no umask or race widens a secret.
        const Descriptor file(
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (file.get() < 0) return fail_errno(errno, thing, "created");
        while (!bytes.empty()) {
            const auto put = ::write(file.get(), bytes.data(), bytes.size());
            if (put < 0) {
                if (errno == EINTR) continue;
                return give_up(errno, "written");
            }
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        if (::fchmod(file.get(), mode) != 0) return give_up(errno, "given its mode");
        if (::fsync(file.get()) != 0) return give_up(errno, "synced");
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) return give_up(errno, "put in place");
    return sync_directory(directory);
}

Status write_atomically(const std::filesystem::path& path, std::string_view text, mode_t mode) {
    return write_atomically(path, as_bytes(text), mode);
}

Status make_private_directories(const std::filesystem::path& path) {
    if (path.empty()) return {};
    const std::string thing = "directory " + path.string();
    int made = ::mkdir(path.c_str(), private_directory_mode);
    if (made != 0 && errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
        if (auto above = make_private_directories(path.parent_path()); !above) return above;
        made = ::mkdir(path.c_str(), private_directory_mode);
    }
    if (made == 0) {
        // A umask can take from a mode, and a directory without its owner's bits is of no use.
        if (::chmod(path.c_str(), private_directory_mode) != 0)
            return fail_errno(errno, thing, "given its mode");
        return {};
    }
    const int why = errno;
    if (why != EEXIST) return fail_errno(why, thing, "made");
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return {};
    return fail(Code::already_exists, thing, "cannot be made: a file has that name");
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
    const auto path = directory / ".lock";
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.get() < 0) return fail_errno(errno, "data directory " + directory.string(), "locked");
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        char holder[32]{};
        const auto got = ::pread(file.get(), holder, sizeof holder - 1, 0);
        return fail(
            Code::address_in_use, "data directory " + directory.string(),
            fmt::format("is in use by process {}", got > 0 ? trim({holder, std::size_t(got)}) : "unknown"),
            "stop it first, or name another directory with --data");
    }
    const auto mine = fmt::format("{}\n", ::getpid());
    if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), mine.data(), mine.size(), 0) < 0)
        return fail_errno(errno, "lock file " + path.string(), "written");
    return DirectoryLock(file.release());
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}
DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}
DirectoryLock::~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace base
