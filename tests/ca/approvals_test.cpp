// SPDX-License-Identifier: Apache-2.0
#include "ca/approvals.hpp"

#include <gtest/gtest.h>

#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace {

using Answer = ca::Approvals::Answer;
using std::chrono::hours;

class ApprovalsTest : public testing::Test {
  protected:
    void SetUp() override { open(); }
    void open() {
        approvals_.reset();
        auto opened = ca::Approvals::open(ca::approvals_file(directory_.path()));
        ASSERT_TRUE(opened) << opened.error().text();
        approvals_ = *std::move(opened);
    }
    static ca::Approvals::Question question(int key = 1) {
        ca::Approvals::Question made{"bootstrap:dev1", "device",           "est-identity",
                                     "CN=dev1",        {"DNS:b", "DNS:a"}, {}};
        made.spki[0] = static_cast<std::byte>(key);
        return made;
    }
    Answer ask(const ca::Approvals::Question& question) {
        const auto answer = approvals_->ask(question, now_);
        EXPECT_TRUE(answer) << answer.error().text();
        return answer.value_or(Answer::waiting);
    }
    std::int64_t only_id() {
        const auto all = approvals_->pending(now_);
        EXPECT_EQ(all->size(), 1U);
        return all->empty() ? 0 : all->front().id;
    }

    support::TemporaryDirectory directory_;
    base::Instant now_ = support::test_time();
    std::unique_ptr<ca::Approvals> approvals_;
};

TEST_F(ApprovalsTest, AnApprovalIsUsedUpByOneIssuance) {
    EXPECT_EQ(ask(question()), Answer::asked);
    EXPECT_EQ(ask(question()), Answer::waiting);
    ASSERT_TRUE(approvals_->decide(only_id(), true, "command:0", now_));
    EXPECT_EQ(ask(question()), Answer::granted);
    EXPECT_EQ(ask(question()), Answer::asked);
}

TEST_F(ApprovalsTest, TheOrderOfNamesDoesNotMatterAndTheKeyDoes) {
    EXPECT_EQ(ask(question()), Answer::asked);
    auto turned = question();
    std::swap(turned.names[0], turned.names[1]);
    EXPECT_EQ(ask(turned), Answer::waiting);
    EXPECT_EQ(ask(question(2)), Answer::asked);
    const auto all = approvals_->pending(now_);
    ASSERT_EQ(all->size(), 1U);
    EXPECT_EQ(all->front().count, 2);
}

TEST_F(ApprovalsTest, ARefusalLastsForADay) {
    ask(question());
    ASSERT_TRUE(approvals_->decide(only_id(), false, "command:0", now_));
    now_ += hours(23);
    EXPECT_EQ(ask(question()), Answer::denied);
    now_ += hours(2);
    EXPECT_EQ(ask(question()), Answer::asked);
}

TEST_F(ApprovalsTest, WhatNobodyDecidesEndsAfterAWeek) {
    ask(question());
    now_ += hours(24 * 7 + 1);
    EXPECT_TRUE(approvals_->pending(now_)->empty());
    EXPECT_EQ(ask(question()), Answer::asked);
}

TEST_F(ApprovalsTest, SurvivesARestart) {
    ask(question());
    const auto id = only_id();
    open();
    ASSERT_TRUE(approvals_->decide(id, true, "command:0", now_));
    open();
    EXPECT_EQ(ask(question()), Answer::granted);
}

TEST_F(ApprovalsTest, WhatCameToNothingMayBeTriedAgain) {
    ask(question());
    ASSERT_TRUE(approvals_->decide(only_id(), true, "command:0", now_));
    EXPECT_EQ(ask(question()), Answer::granted);
    ASSERT_TRUE(approvals_->give_back(question(), now_));
    EXPECT_EQ(ask(question()), Answer::granted);
}

TEST_F(ApprovalsTest, APermitServesAnyKeySoManyTimesAndNoLonger) {
    ASSERT_TRUE(approvals_->permit({"bootstrap:dev1", "device", "CN=dev1", 2, now_ + hours(1)}));
    EXPECT_EQ(ask(question(1)), Answer::granted);
    EXPECT_EQ(ask(question(2)), Answer::granted);
    EXPECT_EQ(ask(question(3)), Answer::asked);
    ASSERT_TRUE(approvals_->permit({"bootstrap:dev1", "device", "CN=dev1", 2, now_ + hours(1)}));
    auto other = question(4);
    other.subject = "CN=dev2";
    EXPECT_EQ(ask(other), Answer::asked);
    now_ += hours(2);
    EXPECT_EQ(ask(question(5)), Answer::asked);
}

TEST_F(ApprovalsTest, KeepsSixteenOfACaller) {
    for (int key = 1; key <= 20; ++key) EXPECT_EQ(ask(question(key)), Answer::asked);
    EXPECT_EQ(approvals_->pending(now_)->front().count, 16);
    EXPECT_EQ(ask(question(20)), Answer::waiting);
    EXPECT_EQ(ask(question(1)), Answer::asked);
}

TEST_F(ApprovalsTest, NothingElseCanBeDecided) {
    EXPECT_EQ(approvals_->decide(7, true, "command:0", now_).error().code, base::Code::not_found);
    ask(question());
    const auto id = only_id();
    ASSERT_TRUE(approvals_->decide(id, true, "command:0", now_));
    EXPECT_FALSE(approvals_->decide(id, false, "command:0", now_));
}

}  // namespace
