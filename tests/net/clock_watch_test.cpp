// SPDX-License-Identifier: Apache-2.0
#include "net/clock_watch.hpp"

#include <future>
#include <optional>

#include <gtest/gtest.h>

#include "net/loop.hpp"
#include "net/timer.hpp"
#include "support/loops.hpp"
#include "support/settable_clock.hpp"

namespace {

using namespace std::chrono_literals;
using support::SettableClock;

const support::StoppedClock still;

net::Task<> note_moment(base::Instant when, const base::Clock& clock, std::promise<bool>& ended) {
    const bool slept = co_await net::sleep_until(when, clock);
    ended.set_value(slept);
}

net::Task<> expect_wakes_when_set(SettableClock& clock) {
    std::promise<bool> ended;
    auto end = ended.get_future();
    net::TaskGroup group;
    group.spawn("sleeper", note_moment(clock.now() + 24h * 90, clock, ended));
    co_await net::sleep_for(0ms);
    clock.move(24h * 89);
    co_await net::sleep_for(1ms);
    EXPECT_EQ(end.wait_for(0s), std::future_status::timeout) << "woke a day early";
    clock.move(24h);
    co_await group.drained();
    EXPECT_TRUE(end.get());
}

TEST(SleepUntil, WakesWhenTheClockIsSetToTheMoment) {
    SettableClock clock(still);
    net::run_task(expect_wakes_when_set(clock));
}

net::Task<> expect_past_is_now(const base::Clock& clock) {
    const bool slept = co_await net::sleep_until(clock.now() - 1h, clock);
    EXPECT_TRUE(slept);
}

TEST(SleepUntil, ReturnsAtOnceForWhatIsPast) {
    const SettableClock clock(still);
    net::run_task(expect_past_is_now(clock));
}

net::Task<> expect_real_time_passes() {
    const auto& clock = base::system_clock();
    const auto when = clock.now() + 1s;
    const bool slept = co_await net::sleep_until(when, clock);
    EXPECT_TRUE(slept);
    EXPECT_GE(clock.now(), when);
}

TEST(SleepUntil, FollowsAClockThatRuns) {
    net::run_task(expect_real_time_passes());
}

net::Task<> expect_cancelled(const base::Clock& clock) {
    std::promise<bool> ended;
    net::TaskGroup group;
    group.spawn("sleeper", note_moment(base::Instant::max(), clock, ended));
    co_await net::sleep_for(0ms);
    group.cancel_all();
    co_await group.drained();
    EXPECT_FALSE(ended.get_future().get());
}

TEST(SleepUntil, SaysWhereItWasCancelled) {
    const SettableClock clock(still);
    net::run_task(expect_cancelled(clock));
}

net::Task<> wait_on(net::Event& event, base::Instant when, const base::Clock& clock,
                    std::optional<bool>& out) {
    out = co_await event.wait_until(when, clock);
}

net::Task<> expect_either(SettableClock& clock) {
    net::Event event;
    net::TaskGroup group;
    std::optional<bool> first, second;
    group.spawn("waits", wait_on(event, clock.now() + 1h, clock, first));
    co_await net::sleep_for(0ms);
    event.notify();
    co_await group.drained();
    EXPECT_EQ(first, true);
    group.spawn("waits", wait_on(event, clock.now() + 1h, clock, second));
    co_await net::sleep_for(0ms);
    clock.move(2h);
    co_await group.drained();
    EXPECT_EQ(second, false);
    // A notification before the wait is remembered, also where the moment is past.
    event.notify();
    const bool third = co_await event.wait_until(clock.now() - 1h, clock);
    EXPECT_TRUE(third);
}

TEST(Event, WaitsForANotificationOrAMoment) {
    SettableClock clock(still);
    net::run_task(expect_either(clock));
}

net::Task<> watch_and_tell(std::promise<void>& watching, std::promise<std::size_t>& told) {
    net::Event event;
    const net::ClockWatch watch([&] { event.notify(); });
    watching.set_value();
    const bool notified = co_await event.wait(1min);
    told.set_value(notified ? net::this_loop().index() : 99);
}

TEST(ClockWatch, IsToldOnItsOwnLoop) {
    support::ServingLoops serving(2);
    std::promise<void> watching[2];
    std::promise<std::size_t> told[2];
    for (std::size_t i = 0; i < 2; ++i) {
        serving.loops().at(i).spawn("watch", watch_and_tell(watching[i], told[i]));
        watching[i].get_future().get();
    }
    net::clock_was_set();
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(told[i].get_future().get(), i);
}

net::Task<> expect_may_end_in_the_call() {
    int calls = 0;
    std::optional<net::ClockWatch> first, second;
    // Whichever is called first ends both.
    const auto end_both = [&] {
        ++calls;
        first.reset();
        second.reset();
    };
    first.emplace(end_both);
    second.emplace(end_both);
    net::clock_was_set();
    co_await net::sleep_for(1ms);
    EXPECT_EQ(calls, 1);
}

TEST(ClockWatch, MayEndItselfAndOthersWhenTold) {
    net::run_task(expect_may_end_in_the_call());
}

}  // namespace
