// SPDX-License-Identifier: Apache-2.0
// A library to preload that ends a service as a power cut would, in the middle of its N-th change on the
// disk. CRASH_SERVICE: the word after --service of the process that is meant; CRASH_UNDER: the directory
// whose changes count; CRASH_AT: N, from 1; CRASH_COUNT: a file that gets one octet a change. With an empty
// CRASH_SERVICE every process is meant, and databases and logs count, too (pwrite, fdatasync, ftruncate).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>

namespace {

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const auto real_open = next<int(const char*, int, ...)>("open");
const auto real_write = next<ssize_t(int, const void*, size_t)>("write");

struct Plan {
    std::string under;
    long at = 0;
    int count_file = -1;
    bool logs = false;
    long seen = 0;
    std::mutex mutex;

    Plan() {
        const char* service = std::getenv("CRASH_SERVICE");
        const char* directory = std::getenv("CRASH_UNDER");
        const char* number = std::getenv("CRASH_AT");
        const char* count = std::getenv("CRASH_COUNT");
        if (!service || !directory || !number || !count) return;
        std::ifstream file("/proc/self/cmdline", std::ios::binary);
        const std::string command((std::istreambuf_iterator<char>(file)), {});
        const std::string wanted = std::string("--service") + '\0' + service + '\0';
        logs = *service == '\0';
        if (!logs && command.find(wanted) == std::string::npos) return;
        under = std::string(directory) + "/";
        at = std::atol(number);
        count_file = real_open(count, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    }
    bool counts(const char* path) const {
        return at > 0 && std::strncmp(path, under.c_str(), under.size()) == 0;
    }
    bool counts(int descriptor) const {
        if (at == 0) return false;
        char path[4096];
        const auto link = "/proc/self/fd/" + std::to_string(descriptor);
        const auto size = ::readlink(link.c_str(), path, sizeof path - 1);
        if (size <= 0) return false;
        path[size] = '\0';
        return counts(path);
    }
    /// True where this change is the one to end at; the caller may do half of it first.
    bool is_last() {
        const std::lock_guard lock(mutex);
        if (real_write(count_file, ".", 1) != 1) std::abort();
        return ++seen == at;
    }
};

Plan& plan() {
    static Plan one;
    return one;
}

[[noreturn]] void end() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

void before_change(const char* path) {
    if (plan().counts(path) && plan().is_last()) end();
}
void before_change(int descriptor) {
    if (plan().counts(descriptor) && plan().is_last()) end();
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
        before_change(path);
    }
    return real_open(path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
    if (plan().counts(descriptor) && plan().is_last()) {
        // What a power cut leaves of a write.
        if (real_write(descriptor, bytes, size / 2) < 0) std::abort();
        end();
    }
    return real_write(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
    static const auto real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    if (plan().logs && plan().counts(descriptor) && plan().is_last()) {
        if (real(descriptor, bytes, size / 2, at) < 0) std::abort();
        end();
    }
    return real(descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
    return pwrite(descriptor, bytes, size, at);
}

int fdatasync(int descriptor) {
    static const auto real = next<int(int)>("fdatasync");
    if (plan().logs) before_change(descriptor);
    return real(descriptor);
}

int ftruncate(int descriptor, off_t size) {
    static const auto real = next<int(int, off_t)>("ftruncate");
    if (plan().logs) before_change(descriptor);
    return real(descriptor, size);
}

int fsync(int descriptor) {
    static const auto real = next<int(int)>("fsync");
    before_change(descriptor);
    return real(descriptor);
}

int fchmod(int descriptor, mode_t mode) {
    static const auto real = next<int(int, mode_t)>("fchmod");
    before_change(descriptor);
    return real(descriptor, mode);
}

int rename(const char* from, const char* to) {
    static const auto real = next<int(const char*, const char*)>("rename");
    before_change(to);
    return real(from, to);
}

int unlink(const char* path) {
    static const auto real = next<int(const char*)>("unlink");
    before_change(path);
    return real(path);
}

int mkdir(const char* path, mode_t mode) {
    static const auto real = next<int(const char*, mode_t)>("mkdir");
    before_change(path);
    return real(path, mode);
}

}  // extern "C"
