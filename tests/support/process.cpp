// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace support {
namespace {

using Clock = std::chrono::steady_clock;

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    return ends;
}

void shut(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
}

int milliseconds_until(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left);
}

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Between fork and exec only calls that are safe there: everything is prepared before.
pid_t start(const std::vector<std::string>& arguments, const RunOptions& options, int in, int out, int err) {
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::vector<std::string> variables;
    for (char** each = environ; *each; ++each) {
        const std::string variable = *each;
        if (!options.environment.contains(variable.substr(0, variable.find('='))))
            variables.push_back(variable);
    }
    for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
    std::vector<char*> envp;
    for (auto& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);

    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork failed");
    if (pid > 0) return pid;
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::umask(options.umask);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(127);
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(127);
}

// True while there may be more.
bool take(int descriptor, std::string& into) {
    std::array<char, 65536> buffer{};
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EINTR);
}

// A child that does not read its input must not end the test.
void ignore_sigpipe() {
    static const bool once = [] { return ::signal(SIGPIPE, SIG_IGN) != SIG_ERR; }();
    (void)once;
}

}  // namespace

Finished run(const std::vector<std::string>& arguments, const RunOptions& options) {
    ignore_sigpipe();
    auto in = make_pipe(), out = make_pipe(), err = make_pipe();
    const pid_t pid = start(arguments, options, in[0], out[1], err[1]);
    for (int* end : {&in[0], &out[1], &err[1]}) shut(*end);
    ::fcntl(in[1], F_SETFL, O_NONBLOCK);

    Finished result;
    std::size_t written = 0;
    const auto until = Clock::now() + options.limit;
    while (out[0] >= 0 || err[0] >= 0) {
        if (written == options.input.size()) shut(in[1]);
        std::array<pollfd, 3> waits{{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {in[1], POLLOUT, 0}}};
        if (::poll(waits.data(), waits.size(), milliseconds_until(until)) == 0) {
            result.timed_out = true;
            ::kill(pid, SIGKILL);
            break;
        }
        if (out[0] >= 0 && waits[0].revents != 0 && !take(out[0], result.out)) shut(out[0]);
        if (err[0] >= 0 && waits[1].revents != 0 && !take(err[0], result.err)) shut(err[0]);
        if (in[1] >= 0 && waits[2].revents != 0) {
            const auto put = ::write(in[1], options.input.data() + written, options.input.size() - written);
            if (put > 0)
                written += static_cast<std::size_t>(put);
            else if (errno != EAGAIN && errno != EINTR)
                shut(in[1]);
        }
    }
    for (int* end : {&in[1], &out[0], &err[0]}) shut(*end);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.exit_code = code_of(status);
    return result;
}

Background::Background(const std::vector<std::string>& arguments, const RunOptions& options) {
    ignore_sigpipe();
    auto both = make_pipe();
    int none = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_ = start(arguments, options, none, both[1], both[1]);
    shut(none);
    shut(both[1]);
    pipe_ = both[0];
}

Background::~Background() {
    if (pid_ > 0 && exit_code_ < 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    shut(pipe_);
}

bool Background::read_some(Clock::time_point until) {
    if (pipe_ < 0) return false;
    pollfd wait{pipe_, POLLIN, 0};
    if (::poll(&wait, 1, milliseconds_until(until)) <= 0) return false;
    if (!take(pipe_, output_)) shut(pipe_);
    return pipe_ >= 0;
}

bool Background::wait_for(const std::string& text, std::chrono::milliseconds limit) {
    const auto until = Clock::now() + limit;
    while (output_.find(text) == std::string::npos)
        if (!read_some(until)) return output_.find(text) != std::string::npos;
    return true;
}

void Background::send_signal(int number) const {
    if (pid_ > 0 && exit_code_ < 0) ::kill(pid_, number);
}

int Background::wait(std::chrono::milliseconds limit) {
    const auto until = Clock::now() + limit;
    // Its output ends when it and all that inherited the pipe have ended.
    while (exit_code_ < 0 && Clock::now() < until) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            exit_code_ = code_of(status);
            while (read_some(Clock::now())) {
            }
        } else if (!read_some(std::min(until, Clock::now() + std::chrono::milliseconds{20}))) {
            ::poll(nullptr, 0, pipe_ < 0 ? 5 : 0);
        }
    }
    return exit_code_;
}

}  // namespace support
