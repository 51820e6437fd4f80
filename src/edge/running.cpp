// SPDX-License-Identifier: Apache-2.0
#include "edge/running.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <charconv>
#include <limits>

#include "base/config.hpp"
#include "base/file.hpp"
#include "edge/toml_text.hpp"

namespace edge {
namespace {

std::filesystem::path file_of(const Paths& paths) {
    return paths.run() / "edge-run.toml";
}

}  // namespace

base::Status write_running(const Paths& paths, const Running& running) {
    TomlText text;
    text.set("process", std::int64_t{running.process});
    for (const auto& [service, fingerprint] : running.started_with) text.set(to_string(service), fingerprint);
    return base::write_atomically(file_of(paths), text.text(), base::secret_mode);
}

void forget_running(const Paths& paths) {
    std::error_code ignored;
    std::filesystem::remove(file_of(paths), ignored);
}

std::optional<Running> read_running(const Paths& paths) {
    auto table = base::ConfigTable::read(file_of(paths));
    if (!table) return std::nullopt;
    const auto process = table->integer("process", 1, std::numeric_limits<pid_t>::max());
    if (!process) return std::nullopt;
    Running out{static_cast<pid_t>(*process), {}};
    for (const auto service : all_services) {
        const auto fingerprint = table->string(to_string(service));
        if (!fingerprint) return std::nullopt;
        out.started_with[service] = *fingerprint;
    }
    return out;
}

std::optional<pid_t> supervisor_of(const Paths& paths) {
    const auto lock = paths.root() / "var/lib/aziot/.lock";
    const int file = ::open(lock.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    const bool held = ::flock(file, LOCK_SH | LOCK_NB) != 0;
    char text[32]{};
    const auto got = held ? ::pread(file, text, sizeof text - 1, 0) : 0;
    ::close(file);
    pid_t process = 0;
    if (got <= 0 || std::from_chars(text, text + got, process).ec != std::errc{} || process <= 0)
        return std::nullopt;
    return process;
}

}  // namespace edge
