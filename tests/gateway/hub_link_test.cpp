// SPDX-License-Identifier: Apache-2.0
#include "gateway/hub_link.hpp"

#include <gtest/gtest.h>

#include "net/loop.hpp"

namespace {

using gateway::backoff;
using gateway::HubLink;
using std::chrono::milliseconds;

const base::Error away{base::Code::unavailable, "hub", "is away", ""};

TEST(Backoff, DoublesUpToFifteenSecondsAndLeavesHalfToChance) {
    EXPECT_EQ(backoff(1, 0.0), milliseconds(250));
    EXPECT_LE(backoff(1, 0.999), milliseconds(500));
    EXPECT_EQ(backoff(3, 0.0), milliseconds(1000));
    for (int attempt = 1; attempt < 100; ++attempt) {
        EXPECT_LE(backoff(attempt, 0.999), milliseconds(15'000));
        EXPECT_GE(backoff(attempt, 0.0), milliseconds(250));
    }
    EXPECT_GE(backoff(50, 0.0), milliseconds(7'500));
}

net::Task<> wait_turn(HubLink& link, int& granted) {
    const bool mine = co_await link.turn();
    if (mine) ++granted;
}

net::Task<> one_tries_the_others_wait(int& first, int& all) {
    HubLink link;
    net::TaskGroup tasks;
    link.failed(away);
    for (int i = 0; i < 5; ++i) tasks.spawn("turn", wait_turn(link, all));
    // The pause after the first failure is at most half a second.
    while (all == 0) co_await net::sleep_for(milliseconds(5));
    co_await net::sleep_for(milliseconds(50));
    first = all;
    link.succeeded();
    co_await tasks.drained();
}

TEST(HubLink, OneTriesWhileTheHubIsAwayAndItsReturnWakesAll) {
    int first = 0;
    int all = 0;
    net::run_task(one_tries_the_others_wait(first, all));
    EXPECT_EQ(first, 1);
    EXPECT_EQ(all, 5);
}

net::Task<> the_next_one_tries(int& granted) {
    HubLink link;
    link.failed(away);
    co_await wait_turn(link, granted);
    link.failed(away);
    co_await wait_turn(link, granted);
    EXPECT_FALSE(link.up());
    link.succeeded();
    co_await wait_turn(link, granted);
}

TEST(HubLink, FailedTryPassesTheTurnOn) {
    int granted = 0;
    net::run_task(the_next_one_tries(granted));
    EXPECT_EQ(granted, 3);
}

net::Task<> stops(int& granted) {
    HubLink link;
    net::TaskGroup tasks;
    link.failed(away);
    tasks.spawn("turn", wait_turn(link, granted));
    link.stop();
    co_await tasks.drained();
}

TEST(HubLink, StopEndsEveryWait) {
    int granted = 0;
    net::run_task(stops(granted));
    EXPECT_EQ(granted, 0);
}

}  // namespace
