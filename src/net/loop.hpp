// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/task.hpp"

namespace net {

class Loop;

/// The loop on which the calling code runs; only inside a task or a posted function.
Loop& this_loop();

/// One event loop with its thread. `post` may be called from any thread; everything else on the loop itself.
class Loop {
  public:
    struct Impl;
    explicit Loop(std::unique_ptr<Impl> impl);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Runs `work` on this loop later. From any thread.
    void post(std::function<void()> work);
    /// Starts a named task on this loop: counted, and what escapes it is logged as task.failed. From any
    /// thread.
    void spawn(std::string name, Task<> task);
    /// Position among the loops, from 0.
    std::size_t index() const;
    Impl& impl() { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

/// All loops of a process, one a core. `run` blocks until `stop`.
class Loops {
  public:
    /// count 0: as many as there are cores.
    explicit Loops(std::size_t count = 0);
    ~Loops();
    std::size_t size() const;
    Loop& at(std::size_t index);
    /// Runs them until SIGTERM, SIGINT or `stop`; then calls `on_stop` on loop 0 and waits, at most `grace`,
    /// for every task to end. A second signal ends at once.
    void run(std::function<void()> on_stop = {}, std::chrono::seconds grace = std::chrono::seconds(10));
    /// From any thread.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Runs one task to its end on a loop of its own in this thread: for commands and tests.
/// An exception that escapes the task is thrown here.
void run_task(Task<> task);
/// The same with a result.
template <class T>
T run_task_for(Task<T> task);

/// Background tasks with a common end (style.md 5.2). On its own loop.
class TaskGroup {
  public:
    TaskGroup();
    ~TaskGroup();  ///< asserts that it is empty
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    void spawn(std::string name, Task<> task);
    /// Cancels every wait inside the group's tasks; they see Code::cancelled.
    void cancel_all();
    /// Returns once every task has ended.
    Task<> drained();
    std::size_t size() const;

    struct Impl;

  private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace net

#include "net/run_task.ipp"
