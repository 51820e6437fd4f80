// SPDX-License-Identifier: Apache-2.0
#include "gateway/outbox.hpp"

#include <gtest/gtest.h>

namespace {

using gateway::Outbox;
using gateway::Progress;

const trust::Identity a{"a", ""};
const trust::Identity b{"b", ""};
const trust::Identity module_of_a{"a", "m"};

Outbox with(std::initializer_list<std::pair<std::uint64_t, trust::Identity>> records, Progress resumed = {}) {
    Outbox outbox(std::move(resumed));
    for (const auto& [offset, identity] : records) outbox.take(offset, identity);
    return outbox;
}

/// The offsets that are taken again when the log is read after a restart with this progress.
std::vector<std::uint64_t> again(const Progress& progress,
                                 const std::vector<std::pair<std::uint64_t, trust::Identity>>& log) {
    Outbox outbox(progress);
    std::vector<std::uint64_t> taken;
    for (const auto& [offset, identity] : log) {
        if (offset >= outbox.read_from() && outbox.take(offset, identity)) taken.push_back(offset);
    }
    return taken;
}

TEST(Outbox, KeepsWhatTheSlowestIdentityHasNotSent) {
    auto outbox = with({{0, a}, {1, b}, {2, a}, {3, b}});
    outbox.acknowledged(b, 1);
    outbox.acknowledged(b, 3);
    EXPECT_EQ(outbox.keep_from(), 0u);
    outbox.acknowledged(a, 0);
    EXPECT_EQ(outbox.keep_from(), 2u);
    outbox.acknowledged(a, 2);
    EXPECT_EQ(outbox.keep_from(), 4u);
    EXPECT_EQ(outbox.waiting(), 0u);
}

TEST(Outbox, RestartSendsAgainExactlyWhatWasNotAcknowledged) {
    const std::vector<std::pair<std::uint64_t, trust::Identity>> log{{0, a},           {1, b}, {2, a}, {3, b},
                                                                     {4, module_of_a}, {5, a}, {6, b}};
    auto outbox = with({{0, a}, {1, b}, {2, a}, {3, b}, {4, module_of_a}});
    outbox.acknowledged(b, 1);
    outbox.acknowledged(b, 3);
    outbox.acknowledged(a, 0);
    // 5 and 6 were never read.
    EXPECT_EQ(again(outbox.progress(), log), (std::vector<std::uint64_t>{2, 4, 5, 6}));
}

TEST(Outbox, StuckIdentityDoesNotMakeTheOthersSentAgain) {
    std::vector<std::pair<std::uint64_t, trust::Identity>> log{{0, a}};
    Outbox outbox(Progress{});
    outbox.take(0, a);
    for (std::uint64_t offset = 1; offset < 1000; ++offset) {
        log.emplace_back(offset, b);
        outbox.take(offset, b);
        outbox.acknowledged(b, offset);
    }
    EXPECT_EQ(again(outbox.progress(), log), std::vector<std::uint64_t>{0});
}

TEST(Outbox, SecondRestartWhileTheFirstBacklogIsReadForgetsNothing) {
    const std::vector<std::pair<std::uint64_t, trust::Identity>> log{{0, a}, {1, b}, {2, a},
                                                                     {3, b}, {4, a}, {5, b}};
    Progress first;
    first.next = 6;
    first.pending = {{a, 2}};
    Outbox outbox(first);
    EXPECT_EQ(outbox.read_from(), 2u);
    ASSERT_TRUE(outbox.take(2, a));
    ASSERT_FALSE(outbox.take(3, b));
    outbox.acknowledged(a, 2);
    // 4 is not read yet: it is still owed, b owes nothing.
    EXPECT_EQ(again(outbox.progress(), log), std::vector<std::uint64_t>{4});
}

TEST(Outbox, GivingUpAnIdentityFreesItsRecords) {
    auto outbox = with({{0, a}, {1, b}, {2, a}});
    EXPECT_EQ(outbox.forget(a), 2u);
    EXPECT_EQ(outbox.keep_from(), 1u);
    EXPECT_EQ(outbox.forget(a), 0u);
}

TEST(Outbox, ProgressSurvivesItsFile) {
    Progress progress;
    progress.next = 18'446'744'073'709'551'000u;
    progress.pending = {{a, 7}, {module_of_a, 9}};
    const auto read = gateway::parse_progress(gateway::to_text(progress));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->next, progress.next);
    EXPECT_EQ(read->pending, progress.pending);
}

TEST(Outbox, BrokenProgressFileIsAnError) {
    for (const auto* text :
         {"", "{}", "[]", R"({"version":2,"next":1,"pending":{}})", R"({"version":1,"next":-1,"pending":{}})",
          R"({"version":1,"next":1,"pending":{"a":"x"}})"}) {
        EXPECT_FALSE(gateway::parse_progress(text)) << text;
    }
}

}  // namespace
