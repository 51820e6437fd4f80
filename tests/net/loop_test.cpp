// SPDX-License-Identifier: Apache-2.0
#include "net/loop.hpp"

#include <csignal>
#include <future>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "net/completion.hpp"
#include "net/timer.hpp"
#include "support/loops.hpp"

namespace {

using namespace std::chrono_literals;

net::Task<int> answer() {
    co_return 42;
}
net::Task<> throw_something() {
    co_await net::sleep_for(0ms);
    throw std::runtime_error("out of cheese");
}

net::Task<> note_sleep(std::chrono::milliseconds duration, std::optional<bool>& slept) {
    slept = co_await net::sleep_for(duration);
}

net::Task<> fulfil(std::promise<std::size_t>& promise) {
    co_await net::sleep_for(0ms);
    promise.set_value(net::this_loop().index());
}

TEST(RunTask, GivesTheResult) {
    EXPECT_EQ(net::run_task_for(answer()), 42);
}

TEST(RunTask, ThrowsWhatEscapes) {
    EXPECT_THROW(net::run_task(throw_something()), std::runtime_error);
}

TEST(RunTask, DestroysTasksThatAreLeft) {
    struct Leave {
        static net::Task<> forever(std::shared_ptr<int> held) {
            co_await net::sleep_for(1h);
            ++*held;
        }
        static net::Task<> run(std::shared_ptr<int> held) {
            net::this_loop().spawn("left", forever(held));
            co_await net::sleep_for(1ms);
        }
    };
    auto held = std::make_shared<int>(0);
    net::run_task(Leave::run(held));
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(*held, 0);
}

TEST(Loops, RunEachTaskOnItsLoop) {
    support::ServingLoops serving(3);
    std::vector<std::promise<std::size_t>> promises(3);
    for (std::size_t i = 0; i < 3; ++i) serving.loops().at(i).spawn("index", fulfil(promises[i]));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(promises[i].get_future().get(), i);
}

TEST(Loops, SurviveATaskAndAFunctionThatThrow) {
    support::ServingLoops serving(1);
    serving.first().spawn("thrower", throw_something());
    serving.first().post([] { throw std::runtime_error("posted"); });
    std::promise<std::size_t> promise;
    serving.first().spawn("after", fulfil(promise));
    EXPECT_EQ(promise.get_future().get(), 0U);
}

struct StopOrder {
    std::atomic<bool> on_stop_called = false;
    std::atomic<bool> task_ended = false;
    std::unique_ptr<net::Event> event;
    static net::Task<> wait(StopOrder& order) {
        order.event = std::make_unique<net::Event>();
        co_await order.event->wait(1h);
        order.task_ended = true;
    }
};

TEST(Loops, StopCallsOnStopAndAwaitsTheTasks) {
    net::Loops loops(2);
    StopOrder order;
    loops.at(0).spawn("waits", StopOrder::wait(order));
    loops.stop();
    loops.run([&] {
        order.on_stop_called = true;
        order.event->notify();
    });
    EXPECT_TRUE(order.on_stop_called);
    EXPECT_TRUE(order.task_ended);
}

TEST(Loops, EndAfterTheGraceTimeWhateverStillRuns) {
    net::Loops loops(2);
    StopOrder order;
    loops.at(0).spawn("stubborn", StopOrder::wait(order));
    loops.stop();
    loops.run({}, 0s);
    EXPECT_FALSE(order.task_ended);
}

TEST(Loops, StopOnSigterm) {
    net::Loops loops(1);
    bool called = false;
    loops.at(0).post([] { std::raise(SIGTERM); });
    loops.run([&] { called = true; });
    EXPECT_TRUE(called);
}

TEST(TaskGroup, CancelsEveryWait) {
    struct Run {
        static net::Task<std::size_t> run(std::vector<std::optional<bool>>& slept) {
            net::TaskGroup group;
            for (auto& one : slept) group.spawn("sleeper", note_sleep(1h, one));
            co_await net::sleep_for(1ms);
            const auto size = group.size();
            group.cancel_all();
            co_await group.drained();
            co_return size;
        }
    };
    std::vector<std::optional<bool>> slept(5);
    EXPECT_EQ(net::run_task_for(Run::run(slept)), 5U);
    for (const auto& one : slept) EXPECT_EQ(one, false);
}

TEST(TaskGroup, CancelsATaskThatHasNotStartedYet) {
    struct Run {
        static net::Task<> run(std::optional<bool>& before, std::optional<bool>& after) {
            net::TaskGroup group;
            group.spawn("before", note_sleep(1h, before));
            group.cancel_all();
            group.spawn("after", note_sleep(1h, after));
            co_await group.drained();
        }
    };
    std::optional<bool> before;
    std::optional<bool> after;
    net::run_task(Run::run(before, after));
    EXPECT_EQ(before, false);
    EXPECT_EQ(after, false);
}

TEST(TaskGroup, DrainsAtOnceWhenEmpty) {
    struct Run {
        static net::Task<std::size_t> run() {
            net::TaskGroup group;
            co_await group.drained();
            co_return group.size();
        }
    };
    EXPECT_EQ(net::run_task_for(Run::run()), 0U);
}

TEST(Event, RemembersANotificationBeforeTheWaitOnce) {
    struct Run {
        static net::Task<std::pair<bool, bool>> run() {
            net::Event event;
            event.notify();
            event.notify();
            const bool first = co_await event.wait(1h);
            const bool second = co_await event.wait(1ms);
            co_return std::pair(first, second);
        }
    };
    const auto [first, second] = net::run_task_for(Run::run());
    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
}

TEST(Event, WakesAWaiter) {
    struct Run {
        static net::Task<> wait(net::Event& event, bool& woken) { woken = co_await event.wait(1h); }
        static net::Task<bool> run() {
            net::Event event;
            bool woken = false;
            net::TaskGroup group;
            group.spawn("waiter", wait(event, woken));
            co_await net::sleep_for(1ms);
            event.notify();
            co_await group.drained();
            co_return woken;
        }
    };
    EXPECT_TRUE(net::run_task_for(Run::run()));
}

struct Callback {
    static net::Task<std::string> run(std::vector<std::jthread>& threads) {
        auto start = [&threads](auto done) {
            threads.emplace_back([done] { done(std::string("from another thread")); });
        };
        auto waiting = net::await_callback<std::string>(start);
        co_return co_await std::move(waiting);
    }
    static net::Task<> store(std::vector<std::jthread>& threads, std::string& into) {
        into = co_await run(threads);
    }
    static net::Task<> cancelled_first(std::vector<std::jthread>& threads, std::promise<void>& go,
                                       std::string& into) {
        net::TaskGroup group;
        group.spawn("waits", waits(threads, go, into));
        co_await net::sleep_for(1ms);
        group.cancel_all();
        go.set_value();
        co_await group.drained();
    }
    static net::Task<> waits(std::vector<std::jthread>& threads, std::promise<void>& go, std::string& into) {
        auto start = [&threads, &go](auto done) {
            threads.emplace_back([done, &go] {
                go.get_future().wait();
                done(std::string("kept"));
            });
        };
        auto waiting = net::await_callback<std::string>(start);
        into = co_await std::move(waiting);
    }
};

TEST(Completion, BringsAResultFromAnotherThread) {
    std::vector<std::jthread> threads;
    EXPECT_EQ(net::run_task_for(Callback::run(threads)), "from another thread");
}

TEST(Completion, IsAwaitedEvenByACancelledTask) {
    std::vector<std::jthread> threads;
    std::promise<void> go;
    std::string result;
    net::run_task(Callback::cancelled_first(threads, go, result));
    EXPECT_EQ(result, "kept");
}

}  // namespace
