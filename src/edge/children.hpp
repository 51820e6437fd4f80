// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "edge/paths.hpp"

namespace edge {

/// The signals of a parent, read as data. They stay blocked in this thread while this lives.
class Signals {
  public:
    static base::Result<Signals> block();
    Signals(Signals&& other) noexcept;
    Signals& operator=(Signals&&) = delete;
    ~Signals();
    int descriptor() const { return descriptor_; }
    const sigset_t& before() const { return before_; }

  private:
    Signals(int descriptor, sigset_t before) : descriptor_(descriptor), before_(before) {}
    int descriptor_;
    sigset_t before_;
};

/// Child processes of one parent, ended together: on SIGTERM, SIGINT or SIGHUP, and when one of them ends by
/// itself without having been retired. What they write on standard output and error is passed on line by
/// line, and the last few are kept for the obituary. Single-threaded: the kernel ends the children when the
/// thread that started them ends.
class Children {
  public:
    explicit Children(const Signals& signals) : signals_(signals) {}
    ~Children();
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;

    /// Starts this program again with `command` (its first word is the name) and `--ready-fd N`.
    base::Status start(Service service, std::vector<std::string> command);
    /// Waits for the next thing that happens and deals with it.
    void wait_for_event();
    void wait_for_all();
    void stop();
    /// Ends this one child, which may then be started again.
    void retire(Service service);

    bool is_alive(Service service) const;
    bool all_ready() const;  ///< every child that lives has told that it serves
    bool none_retiring() const;
    bool stopping() const { return stopping_; }
    /// True once after each SIGUSR1.
    bool take_reload() { return std::exchange(reload_, false); }
    /// Failed where a child ended by itself.
    base::Status result() const { return result_; }

  private:
    struct Child {
        Service service;
        pid_t process;
        int output;
        int ready_pipe;
        bool is_ready = false;
        bool ended = false;
        bool retired = false;
        std::string partial;
        std::vector<std::string> last_lines;
    };
    void read_signals();
    void reap();
    void forget_retired();
    void read_output(Child& child);
    void read_ready(Child& child);
    void kill_all(int number);
    std::size_t alive() const;
    bool anything_ends() const;

    const Signals& signals_;
    std::vector<Child> children_;
    bool stopping_ = false;
    bool reload_ = false;
    std::chrono::steady_clock::time_point kill_at_{};
    base::Status result_{};
};

}  // namespace edge
