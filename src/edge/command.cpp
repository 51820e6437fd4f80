// SPDX-License-Identifier: Apache-2.0
#include "edge/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

extern char** environ;

namespace edge {
namespace {

std::unexpected<base::Error> bad_line(std::string_view line, std::string reason) {
    return base::fail(base::Code::usage, fmt::format("command \"{}\"", line), std::move(reason),
                      "write a program and its arguments, such as \"nginx -s reload\"");
}

// The signals that a parent of services blocks must reach the program, which would inherit the mask.
struct Attributes {
    posix_spawnattr_t value;
    posix_spawn_file_actions_t files;
    Attributes() {
        ::posix_spawnattr_init(&value);
        sigset_t none;
        ::sigemptyset(&none);
        ::posix_spawnattr_setsigmask(&value, &none);
        ::posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGMASK);
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        // A command's own words are no result of ours.
        ::posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    }
    ~Attributes() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&value);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
};

// False where the process still runs after `limit`.
bool ended_within(pid_t process, std::chrono::seconds limit) {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (handle < 0) return true;  // then waitpid waits without a limit, as on a kernel before 5.3
    pollfd watched{handle, POLLIN, 0};
    const auto deadline = std::chrono::steady_clock::now() + limit;
    int happened = 0;
    do {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        happened = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    } while (happened < 0 && errno == EINTR);
    ::close(handle);
    return happened != 0;
}

base::Status result_of(const std::string& thing, int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (WIFSIGNALED(status))
        return base::fail(base::Code::internal, thing,
                          fmt::format("was ended by signal {}", WTERMSIG(status)));
    return base::fail(base::Code::internal, thing, fmt::format("exited with {}", WEXITSTATUS(status)));
}

}  // namespace

base::Result<std::vector<std::string>> split_command(std::string_view line) {
    std::vector<std::string> words;
    std::optional<std::string> word;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (c == '\\' && quote != '\'') {
            if (++i == line.size()) return bad_line(line, "ends in a backslash");
            word = word.value_or("") + line[i];
        } else if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
            word = word.value_or("");
        } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
            if (word) words.push_back(*std::exchange(word, std::nullopt));
        } else {
            word = word.value_or("") + c;
        }
    }
    if (quote != 0) return bad_line(line, fmt::format("has a quote {} without its end", quote));
    if (word) words.push_back(*word);
    if (words.empty()) return bad_line(line, "is empty");
    return words;
}

base::Status run_command(const std::vector<std::string>& arguments, std::chrono::seconds limit) {
    const auto thing = "command " + arguments.front();
    std::vector<char*> words;
    for (const auto& each : arguments) words.push_back(const_cast<char*>(each.c_str()));
    words.push_back(nullptr);
    const Attributes attributes;
    pid_t process = 0;
    if (const int why = ::posix_spawnp(&process, words.front(), &attributes.files, &attributes.value,
                                       words.data(), environ);
        why != 0)
        return base::fail_errno(why, thing, "started", "give its whole path");
    const bool in_time = ended_within(process, limit);
    if (!in_time) ::kill(process, SIGKILL);
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time)
        return base::fail(base::Code::timeout, thing,
                          fmt::format("did not end within {} s and was killed", limit.count()));
    return result_of(thing, status);
}

}  // namespace edge
