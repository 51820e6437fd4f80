// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "net/clock_watch.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"

/// The Asio side of the loops. For net/*.cpp only: nothing else includes this file.
namespace net {

using SteadyTime = std::chrono::steady_clock::time_point;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>,
                                                boost::asio::io_context::executor_type>;

inline constexpr SteadyTime no_deadline = SteadyTime::max();
/// Now plus `limit`; a limit of more than a year is no deadline.
SteadyTime deadline_after(std::chrono::milliseconds limit);

/// An io_context whose pending work can be destroyed while the objects around it still live.
class Context : public boost::asio::io_context {
  public:
    Context() : io_context(1) {}
    void destroy_pending() { shutdown(); }
};

/// The watches of one loop, and its look at the machine's clock. On its loop.
class ClockWatches {
  public:
    explicit ClockWatches(Context& context) : timer_(context) {}
    void add(ClockWatch* watch);
    void remove(ClockWatch* watch) { watches_.erase(watch); }
    void call_all();

  private:
    void look_later();
    void look();

    std::unordered_set<ClockWatch*> watches_;
    Timer timer_;
    bool looking_ = false;
    std::chrono::milliseconds ahead_{};  ///< of the machine's clock over its steady one, when last called
};

class Socket;

/// What the loops of one process, or one run_task, count together.
struct Running {
    std::atomic<std::size_t> tasks = 0;
    std::atomic<bool> stopping = false;
    std::function<void()> on_idle;  ///< called from any loop when no task is left while stopping
};

struct Loop::Impl {
    Impl(std::size_t position, std::shared_ptr<Running> shared)
        : index(position), running(std::move(shared)) {}
    /// Runs handlers until the context is stopped; what escapes a posted function is logged.
    void run(Loop& self);
    /// Destroys what is still pending, with this_loop() answering as if it ran here.
    void destroy_pending(Loop& self);

    Context context;
    ClockWatches clock_watches{context};
    std::size_t index;
    std::shared_ptr<Running> running;
    bool stopping = false;               ///< this loop has been told that the process ends
    std::unordered_set<Socket*> parked;  ///< idle sockets whose wait ends when the loop stops
};

/// Every loop of the process, for what concerns them all. From any thread.
class AllLoops {
  public:
    static AllLoops& instance();
    void add(Loop* loop);
    void remove(Loop* loop);
    void post_to_each(const std::function<void(Loop::Impl&)>& work);

  private:
    std::mutex mutex_;
    std::unordered_set<Loop*> loops_;
};

/// The calling thread runs `loop` while this lives.
class CurrentLoop {
  public:
    explicit CurrentLoop(Loop& loop);
    ~CurrentLoop();
    CurrentLoop(const CurrentLoop&) = delete;
    CurrentLoop& operator=(const CurrentLoop&) = delete;

  private:
    Loop* before_;
};

/// The one place that starts a coroutine (style.md 5.1). Counts the task on its loop, logs what escapes it
/// under `name`, and holds `ticket` until the task has ended or was destroyed. Call it on the loop itself.
void start_task(Loop& loop, std::string name, Task<> task, std::shared_ptr<void> ticket,
                boost::asio::cancellation_slot slot = {});

enum class Woken { woken, timeout, cancelled };

/// What one task waits on: a timer that others cancel. A wake before the wait is remembered once.
class Waiter {
  public:
    explicit Waiter(Context& context) : timer_(context) {}
    void wake();
    /// Forgets a wake that nobody waited for.
    void reset() { woken_ = false; }
    /// The owner of this object must outlive the task.
    Task<Woken> wait(SteadyTime deadline);
    /// As `wait`, until `clock` shows `when`, also where it is set meanwhile.
    Task<Woken> wait_until(base::Instant when, const base::Clock& clock);
    /// Waits for `wake` whatever cancels the task.
    Task<> wait_always();

  private:
    Timer timer_;
    bool woken_ = false;
    bool look_again_ = false;  ///< a wait ends as at its deadline: the clock was set
};

}  // namespace net
