// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <signal.h>

#include <CLI/Option.hpp>
#include <atomic>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include "app/clock_option.hpp"
#include "base/clock.hpp"
#include "base/duration.hpp"
#include "net/clock_watch.hpp"

// What sallyport-testing has and sallyport has not (interfaces.md 8): its own base::system_clock() and the
// option that moves it.

namespace {

constexpr std::chrono::milliseconds between_looks{25};

std::optional<std::chrono::seconds> read_duration(const std::string& file) {
    std::ifstream in(file);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto read = base::parse_duration(text);
    return read ? std::optional(*read) : std::nullopt;
}

/// The machine's time plus the duration in a file, once it was given one.
class ClockFile final : public base::Clock {
  public:
    base::Instant now() const override { return std::chrono::floor<std::chrono::seconds>(now_ms()); }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + ahead();
    }

    /// Once, before any other thread runs.
    void follow(std::string file) {
        file_ = std::move(file);
        ahead();
        // A thread that takes no signal: they are meant for the one that waits for them.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        std::thread([this] { watch(); }).detach();
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

  private:
    /// Read each time, so that who has written the file sees it followed by the next thing done. While it is
    /// being written the last duration counts.
    std::chrono::seconds ahead() const {
        if (file_.empty()) return {};
        if (const auto read = read_duration(file_)) last_ = *read;
        return last_;
    }

    void watch() const {
        for (auto before = ahead();; std::this_thread::sleep_for(between_looks)) {
            const auto now = ahead();
            if (now == before) continue;
            before = now;
            net::clock_was_set();
        }
    }

    std::string file_;
    mutable std::atomic<std::chrono::seconds> last_{std::chrono::seconds(0)};
};

ClockFile& clock_file() {
    // Never destroyed: its thread runs to the end of the process.
    static auto* clock = new ClockFile;
    return *clock;
}

std::string check(const std::string& file) {
    return read_duration(file) ? std::string() : file + " holds no duration such as 90d or -12h";
}

}  // namespace

namespace base {

const Clock& system_clock() {
    return clock_file();
}

}  // namespace base

namespace app {

void add_clock_option(CLI::App& root) {
    root.add_option_function<std::string>(
            "--clock-file", [](const std::string& file) { clock_file().follow(file); },
            "the time is the real one plus the duration in FILE (90d, -12h), read again when it changes")
        ->type_name("FILE")
        ->check(check)
        ->trigger_on_parse();
}

}  // namespace app
