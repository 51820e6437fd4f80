// SPDX-License-Identifier: Apache-2.0
#include "edge/children.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace edge {
namespace {

// Longer than the services' own grace; what is left then hangs.
constexpr std::chrono::seconds patience{10};
constexpr std::size_t longest_line = 8192;
// An error and its hint.
constexpr std::size_t last_words = 2;

struct Pipe {
    int read = -1;
    int write = -1;
    ~Pipe() {
        if (read >= 0) ::close(read);
        if (write >= 0) ::close(write);
    }
};

base::Status open_pipe(Pipe& pipe) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno(errno, "pipe", "made");
    pipe.read = ends[0];
    pipe.write = ends[1];
    ::fcntl(pipe.read, F_SETFL, O_NONBLOCK);
    return {};
}

std::string ending_of(int status) {
    if (WIFSIGNALED(status))
        return fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
    return fmt::format("ended by itself with exit code {}", WEXITSTATUS(status));
}

void write_out(std::string_view text) {
    while (!text.empty()) {
        const auto put = ::write(STDERR_FILENO, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(put));
    }
}

// Between fork and exec: only calls that are safe after fork.
[[noreturn]] void become(char* const* arguments, int output, int ready, pid_t parent, const sigset_t* mask) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::fcntl(ready, F_SETFD, 0);
    ::sigprocmask(SIG_SETMASK, mask, nullptr);
    ::execv("/proc/self/exe", arguments);
    constexpr std::string_view said = "sallyport: error: this program cannot be started again\n";
    if (::write(STDERR_FILENO, said.data(), said.size()) < 0) ::_exit(126);
    ::_exit(127);
}

}  // namespace

base::Result<Signals> Signals::block() {
    sigset_t wanted, before;
    ::sigemptyset(&wanted);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&wanted, number);
    if (::sigprocmask(SIG_BLOCK, &wanted, &before) != 0) return base::fail_errno(errno, "signals", "blocked");
    const int descriptor = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0) return base::fail_errno(errno, "signals", "received");
    return Signals(descriptor, before);
}

Signals::Signals(Signals&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), before_(other.before_) {}

Signals::~Signals() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Children::~Children() {
    for (const auto& child : children_) {
        if (child.output >= 0) ::close(child.output);
        if (child.ready_pipe >= 0) ::close(child.ready_pipe);
    }
}

base::Status Children::start(Service service, std::vector<std::string> command) {
    Pipe output, ready;
    if (auto made = open_pipe(output); !made) return made;
    if (auto made = open_pipe(ready); !made) return made;
    command.insert(command.end(), {"--ready-fd", std::to_string(ready.write)});
    std::vector<char*> arguments;
    for (auto& each : command) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process < 0) return base::fail_errno(errno, fmt::format("{} service", to_string(service)), "started");
    if (process == 0) become(arguments.data(), output.write, ready.write, parent, &signals_.before());
    children_.push_back({service,
                         process,
                         std::exchange(output.read, -1),
                         std::exchange(ready.read, -1),
                         false,
                         false,
                         false,
                         {},
                         {}});
    return {};
}

bool Children::is_alive(Service service) const {
    return std::ranges::any_of(children_,
                               [&](const Child& child) { return child.service == service && !child.ended; });
}

bool Children::all_ready() const {
    return std::ranges::all_of(children_, [](const Child& child) { return child.ended || child.is_ready; });
}

bool Children::none_retiring() const {
    return std::ranges::none_of(children_, [](const Child& child) { return child.retired && !child.ended; });
}

std::size_t Children::alive() const {
    return static_cast<std::size_t>(std::ranges::count(children_, false, &Child::ended));
}

bool Children::anything_ends() const {
    return stopping_ || !none_retiring();
}

void Children::kill_all(int number) {
    for (const auto& child : children_)
        if (!child.ended && (stopping_ || child.retired)) ::kill(child.process, number);
}

void Children::retire(Service service) {
    for (auto& child : children_) {
        if (child.service != service || child.ended || std::exchange(child.retired, true)) continue;
        if (!stopping_) kill_at_ = std::chrono::steady_clock::now() + patience;
        ::kill(child.process, SIGTERM);
    }
}

void Children::stop() {
    if (std::exchange(stopping_, true)) return;
    kill_at_ = std::chrono::steady_clock::now() + patience;
    kill_all(SIGTERM);
}

void Children::wait_for_all() {
    while (alive() > 0) wait_for_event();
}

void Children::wait_for_event() {
    std::vector<pollfd> watched{{signals_.descriptor(), POLLIN, 0}};
    for (const auto& child : children_) {
        watched.push_back({child.output, POLLIN, 0});
        watched.push_back({child.ready_pipe, POLLIN, 0});
    }
    int limit = -1;
    if (anything_ends()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            kill_at_ - std::chrono::steady_clock::now());
        limit = static_cast<int>(std::max<std::int64_t>(left.count(), 0)) + 1;
    }
    const int happened = ::poll(watched.data(), watched.size(), limit);
    if (happened == 0) {
        kill_all(SIGKILL);
        kill_at_ = std::chrono::steady_clock::now() + patience;
        return;
    }
    if (happened < 0) return;
    for (std::size_t i = 0; i < children_.size(); ++i) {
        if (watched[1 + 2 * i].revents != 0) read_output(children_[i]);
        if (watched[2 + 2 * i].revents != 0) read_ready(children_[i]);
    }
    if (watched[0].revents != 0) read_signals();
}

void Children::read_signals() {
    signalfd_siginfo info{};
    bool told_to_stop = false, child_ended = false;
    while (::read(signals_.descriptor(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo == static_cast<unsigned>(SIGCHLD))
            child_ended = true;
        else if (info.ssi_signo == static_cast<unsigned>(SIGUSR1))
            reload_ = true;
        else
            told_to_stop = true;
    }
    // First the wish to stop: a child that ends because of it has not ended by itself.
    if (told_to_stop && stopping_) kill_all(SIGKILL);
    if (told_to_stop) stop();
    if (child_ended) reap();
}

void Children::reap() {
    for (auto& child : children_) {
        int status = 0;
        if (child.ended || ::waitpid(child.process, &status, WNOHANG) != child.process) continue;
        child.ended = true;
        read_output(child);
        if (!child.partial.empty()) child.last_lines.push_back(child.partial);
        if (stopping_ || child.retired) continue;
        result_ = base::fail(
            base::Code::internal, fmt::format("the {} service", to_string(child.service)),
            fmt::format("{}; its last words: {}", ending_of(status), fmt::join(child.last_lines, " / ")));
        base::log::error(base::events::service_ended, result_.error(),
                         {{"service", std::string(to_string(child.service))}});
        stop();
    }
    forget_retired();
}

// Its place is then free for the next one of the same service.
void Children::forget_retired() {
    std::erase_if(children_, [](const Child& child) {
        if (!child.retired || !child.ended) return false;
        if (child.output >= 0) ::close(child.output);
        if (child.ready_pipe >= 0) ::close(child.ready_pipe);
        return true;
    });
}

void Children::read_output(Child& child) {
    char buffer[4096];
    while (child.output >= 0) {
        const auto got = ::read(child.output, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return;
        if (got == 0) {
            ::close(std::exchange(child.output, -1));
            return;
        }
        child.partial.append(buffer, static_cast<std::size_t>(got));
        const auto end = child.partial.rfind('\n');
        if (end == std::string::npos && child.partial.size() < longest_line) continue;
        const auto whole = end == std::string::npos ? child.partial : child.partial.substr(0, end + 1);
        write_out(whole);
        for (const auto line : base::split(
                 std::string_view(whole).substr(0, whole.size() - (whole.ends_with('\n') ? 1 : 0)), '\n'))
            child.last_lines.emplace_back(line);
        if (child.last_lines.size() > last_words)
            child.last_lines.erase(child.last_lines.begin(), child.last_lines.end() - last_words);
        child.partial.erase(0, whole.size());
    }
}

void Children::read_ready(Child& child) {
    char octet = 0;
    const auto got = ::read(child.ready_pipe, &octet, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got == 1) child.is_ready = true;
    ::close(std::exchange(child.ready_pipe, -1));
}

}  // namespace edge
