// SPDX-License-Identifier: Apache-2.0
#include "hub/device_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <future>
#include <set>

#include "support/temporary_directory.hpp"

/// The queue by itself, with a clock that the test moves.
namespace {

using hub::DeviceQueue;
using Settlement = DeviceQueue::Settlement;

class StoppedClock final : public base::Clock {
  public:
    base::Instant now() const override { return std::chrono::floor<std::chrono::seconds>(now_); }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override { return now_; }
    void move(std::chrono::milliseconds by) { now_ += by; }

  private:
    std::chrono::sys_time<std::chrono::milliseconds> now_{
        std::chrono::sys_days(std::chrono::year(2026) / 11 / 25)};
};

/// Starts an operation and waits for what it answers.
template <class T, class Start>
base::Result<T> wait_for(Start start) {
    auto promise = std::make_shared<std::promise<base::Result<T>>>();
    start([promise](base::Result<T> result) { promise->set_value(std::move(result)); });
    return promise->get_future().get();
}

class DeviceQueueTest : public testing::Test {
  protected:
    DeviceQueueTest() { open(); }

    void open() {
        queue_.reset();
        auto opened = DeviceQueue::open(directory_ / "devicebound.db", clock_);
        ASSERT_TRUE(opened) << opened.error().text();
        queue_ = *std::move(opened);
    }

    azure::CloudMessage message(const std::string& id, azure::Ack ack = azure::Ack::none) {
        azure::CloudMessage made;
        made.message.system.emplace_back("message-id", id);
        made.ack = ack;
        made.expiry = azure::expiry_of(made, clock_.now_ms());
        return made;
    }
    base::Result<std::uint64_t> enqueue(azure::CloudMessage message) {
        return wait_for<std::uint64_t>(
            [&](auto done) { queue_->enqueue(address_, std::move(message), std::move(done)); });
    }
    /// The ids of what a session gets.
    std::vector<DeviceQueue::Held> hold(std::int64_t holder, std::size_t most = 100) {
        auto held = wait_for<std::vector<DeviceQueue::Held>>(
            [&](auto done) { queue_->hold(address_, holder, most, std::move(done)); });
        EXPECT_TRUE(held) << held.error().text();
        return *std::move(held);
    }
    std::optional<DeviceQueue::Held> receive(std::chrono::seconds lock = std::chrono::seconds(60)) {
        auto held = wait_for<std::optional<DeviceQueue::Held>>(
            [&](auto done) { queue_->receive(address_, lock, std::move(done)); });
        EXPECT_TRUE(held) << held.error().text();
        return *std::move(held);
    }
    base::Result<bool> settle(const std::string& lock_token, Settlement how) {
        return wait_for<bool>(
            [&](auto done) { queue_->settle(address_.device, lock_token, how, std::move(done)); });
    }
    void sweep() {
        const auto swept = wait_for<bool>([&](auto done) { queue_->sweep(std::move(done)); });
        EXPECT_TRUE(swept) << swept.error().text();
    }
    std::size_t purge() {
        return *wait_for<std::size_t>([&](auto done) { queue_->purge(address_, std::move(done)); });
    }
    std::optional<hub::feedback_rows::Batch> feedback() {
        return *wait_for<std::optional<hub::feedback_rows::Batch>>(
            [&](auto done) { queue_->receive_feedback(std::move(done)); });
    }
    /// "id Status" of each record that is ready once they have waited long enough.
    std::vector<std::string> all_feedback() {
        clock_.move(azure::feedback_delay);
        std::vector<std::string> records;
        while (const auto batch = feedback()) {
            const auto json = boost::json::parse(batch->json);
            for (const auto& record : json.as_array())
                records.push_back(std::string(record.at("originalMessageId").as_string()) + " " +
                                  std::string(record.at("statusCode").as_string()));
        }
        return records;
    }

    support::TemporaryDirectory directory_;
    StoppedClock clock_;
    std::unique_ptr<DeviceQueue> queue_;
    DeviceQueue::Address address_{"TempSensor", "1"};
};

TEST_F(DeviceQueueTest, KeepsOrderAndNumbersMessagesOfADevice) {
    for (const auto* id : {"a", "b", "c"}) ASSERT_TRUE(enqueue(message(id)));
    const auto held = hold(1);
    ASSERT_EQ(held.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(held[i].delivery.sequence, i + 1);
        EXPECT_EQ(held[i].delivery.message.id(), std::string(1, static_cast<char>('a' + i)));
        EXPECT_FALSE(held[i].sent_before);
    }
    for (const auto& one : held) EXPECT_TRUE(settle(one.lock_token, Settlement::complete));
    EXPECT_EQ(*enqueue(message("d")), 4U) << "numbers go on when the queue was empty";
}

TEST_F(DeviceQueueTest, HoldsFiftyOfADeviceAndNoMore) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(enqueue(message(std::to_string(i))));
    const auto refused = enqueue(message("50"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(hub::queue_code(refused.error()), azure::ErrorCode::device_queue_full);
    EXPECT_EQ(queue_->count("TempSensor"), 50U);
    address_.device = "Other";
    EXPECT_TRUE(enqueue(message("50"))) << "another device has a queue of its own";
    address_.device = "TempSensor";
    EXPECT_TRUE(settle(receive()->lock_token, Settlement::complete));
    EXPECT_TRUE(enqueue(message("50")));
}

TEST_F(DeviceQueueTest, WhatWasEnqueuedSurvivesTheProcess) {
    ASSERT_TRUE(enqueue(message("a", azure::Ack::full)));
    ASSERT_TRUE(enqueue(message("b")));
    EXPECT_EQ(hold(1, 1).size(), 1U);
    open();
    EXPECT_EQ(queue_->count("TempSensor"), 2U);
    EXPECT_TRUE(queue_->needs_sweep());
    const auto held = hold(1);
    ASSERT_EQ(held.size(), 2U);
    EXPECT_EQ(held[0].delivery.message.id(), "a");
    EXPECT_EQ(held[0].delivery.message.ack, azure::Ack::full);
    EXPECT_TRUE(held[0].sent_before) << "a session of the earlier process had it";
    EXPECT_FALSE(held[1].sent_before);
    EXPECT_EQ(*enqueue(message("c")), 3U);
}

TEST_F(DeviceQueueTest, LockOfARequestSurvivesTheProcess) {
    ASSERT_TRUE(enqueue(message("a")));
    const auto held = receive();
    ASSERT_TRUE(held);
    open();
    EXPECT_FALSE(receive());
    EXPECT_TRUE(settle(held->lock_token, Settlement::complete));
    EXPECT_EQ(queue_->count("TempSensor"), 0U);
}

TEST_F(DeviceQueueTest, MessageIsInvisibleWhileItIsLocked) {
    ASSERT_TRUE(enqueue(message("a")));
    const auto held = receive(std::chrono::seconds(60));
    ASSERT_TRUE(held);
    EXPECT_FALSE(receive());
    EXPECT_TRUE(hold(1).empty());
    clock_.move(std::chrono::seconds(60));
    const auto late = settle(held->lock_token, Settlement::complete);
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(hub::queue_code(late.error()), azure::ErrorCode::device_message_lock_lost);
    const auto again = receive();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->delivery.abandoned, 0) << "only the device's own abandoning counts";
    EXPECT_TRUE(settle(again->lock_token, Settlement::complete));
    EXPECT_FALSE(settle(again->lock_token, Settlement::complete)) << "it is settled once";
}

TEST_F(DeviceQueueTest, LockIsOfItsDevice) {
    ASSERT_TRUE(enqueue(message("a")));
    const auto held = receive();
    address_.device = "Other";
    EXPECT_FALSE(settle(held->lock_token, Settlement::complete));
}

TEST_F(DeviceQueueTest, SessionHoldsUntilItLetsGoAndTheNextTakesOver) {
    ASSERT_TRUE(enqueue(message("a")));
    const auto first = hold(1);
    ASSERT_EQ(first.size(), 1U);
    clock_.move(std::chrono::minutes(10));
    EXPECT_TRUE(hold(1).empty()) << "it has it already";
    EXPECT_FALSE(receive()) << "a request does not get what a session has";
    const auto second = hold(2);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_TRUE(second[0].sent_before);
    EXPECT_FALSE(settle(first[0].lock_token, Settlement::complete));
    queue_->release("TempSensor", 1);
    EXPECT_FALSE(receive()) << "the first had nothing any more";
    queue_->release("TempSensor", 2);
    EXPECT_TRUE(receive());
}

TEST_F(DeviceQueueTest, TenthAbandonmentIsTheEnd) {
    ASSERT_TRUE(enqueue(message("a", azure::Ack::full)));
    for (int i = 0; i < 10; ++i) {
        const auto held = receive();
        ASSERT_TRUE(held) << i;
        EXPECT_EQ(held->delivery.abandoned, i);
        ASSERT_TRUE(settle(held->lock_token, Settlement::abandon));
    }
    EXPECT_FALSE(receive());
    EXPECT_EQ(queue_->count("TempSensor"), 0U);
    EXPECT_THAT(all_feedback(), testing::ElementsAre("a DeliveryCountExceeded"));
}

TEST_F(DeviceQueueTest, AbandonedMessageComesBeforeLaterOnes) {
    ASSERT_TRUE(enqueue(message("a")));
    ASSERT_TRUE(enqueue(message("b")));
    ASSERT_TRUE(settle(receive()->lock_token, Settlement::abandon));
    EXPECT_EQ(receive()->delivery.message.id(), "a");
}

TEST_F(DeviceQueueTest, EachEndGivesTheFeedbackThatWasAskedFor) {
    using azure::Ack;
    for (const auto& [id, ack] : std::initializer_list<std::pair<const char*, Ack>>{
             {"p", Ack::positive}, {"n", Ack::negative}, {"f", Ack::full}, {"0", Ack::none}})
        ASSERT_TRUE(enqueue(message(id, ack)));
    for (const auto& held : hold(1)) ASSERT_TRUE(settle(held.lock_token, Settlement::complete));
    EXPECT_THAT(all_feedback(), testing::ElementsAre("p Success", "f Success"));

    for (const auto& [id, ack] :
         std::initializer_list<std::pair<const char*, Ack>>{{"p", Ack::positive}, {"n", Ack::negative}})
        ASSERT_TRUE(enqueue(message(id, ack)));
    for (const auto& held : hold(1)) ASSERT_TRUE(settle(held.lock_token, Settlement::reject));
    EXPECT_THAT(all_feedback(), testing::ElementsAre("n Rejected"));

    ASSERT_TRUE(enqueue(message("gone", Ack::negative)));
    ASSERT_TRUE(enqueue(message("quiet", Ack::none)));
    EXPECT_EQ(purge(), 2U);
    EXPECT_EQ(purge(), 0U);
    EXPECT_THAT(all_feedback(), testing::ElementsAre("gone Purged"));
}

TEST_F(DeviceQueueTest, ExpiredMessageIsNotDeliveredAndItsSenderHears) {
    auto soon = message("soon", azure::Ack::full);
    soon.expiry = clock_.now_ms() + std::chrono::seconds(10);
    ASSERT_TRUE(enqueue(soon));
    ASSERT_TRUE(enqueue(message("later")));
    clock_.move(std::chrono::seconds(10));
    EXPECT_EQ(hold(1).size(), 1U) << "not even before the sweep";
    sweep();
    EXPECT_EQ(queue_->count("TempSensor"), 1U);
    EXPECT_THAT(all_feedback(), testing::ElementsAre("soon Expired"));
}

TEST_F(DeviceQueueTest, WhatADeviceHoldsDoesNotExpire) {
    ASSERT_TRUE(enqueue(message("a", azure::Ack::full)));
    const auto held = hold(1);
    clock_.move(std::chrono::hours(2));
    sweep();
    EXPECT_TRUE(settle(held.front().lock_token, Settlement::complete));
    EXPECT_THAT(all_feedback(), testing::ElementsAre("a Success"));
}

TEST_F(DeviceQueueTest, FeedbackIsSentAtSixtyFourRecordsOrAfterFifteenSeconds) {
    const auto run_through = [&](int count) {
        for (int i = 0; i < count; ++i) {
            ASSERT_TRUE(enqueue(message(std::to_string(i), azure::Ack::positive)));
            ASSERT_TRUE(settle(receive()->lock_token, Settlement::complete));
        }
    };
    run_through(63);
    EXPECT_FALSE(feedback());
    run_through(2);
    const auto full = feedback();
    ASSERT_TRUE(full);
    EXPECT_EQ(boost::json::parse(full->json).as_array().size(), 64U);
    EXPECT_FALSE(feedback()) << "the last record waits for others";
    clock_.move(std::chrono::seconds(15));
    const auto rest = feedback();
    ASSERT_TRUE(rest);
    EXPECT_EQ(boost::json::parse(rest->json).as_array().size(), 1U);
}

TEST_F(DeviceQueueTest, FeedbackIsKeptUntilItIsSettled) {
    using hub::feedback_rows::Settlement;
    ASSERT_TRUE(enqueue(message("a", azure::Ack::positive)));
    ASSERT_TRUE(settle(receive()->lock_token, DeviceQueue::Settlement::complete));
    clock_.move(std::chrono::seconds(15));
    const auto settle_batch = [&](const std::string& lock_token, Settlement how) {
        return wait_for<bool>([&](auto done) { queue_->settle_feedback(lock_token, how, std::move(done)); });
    };
    const auto first = feedback();
    ASSERT_TRUE(first);
    EXPECT_FALSE(feedback()) << "it is locked";
    EXPECT_TRUE(settle_batch(first->lock_token, Settlement::abandon));
    open();
    const auto second = feedback();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->json, first->json);
    clock_.move(std::chrono::seconds(60));
    EXPECT_FALSE(settle_batch(second->lock_token, Settlement::complete)) << "too late";
    const auto third = feedback();
    ASSERT_TRUE(third);
    EXPECT_TRUE(settle_batch(third->lock_token, Settlement::complete));
    clock_.move(std::chrono::minutes(5));
    EXPECT_FALSE(feedback());
    sweep();
    EXPECT_FALSE(queue_->needs_sweep());
}

TEST_F(DeviceQueueTest, DeletedDeviceLosesItsQueueAndANewOneStartsAfresh) {
    ASSERT_TRUE(enqueue(message("a")));
    queue_->forget("TempSensor");
    address_.generation = "2";
    EXPECT_EQ(*enqueue(message("b")), 1U);
    const auto held = hold(1);
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].delivery.message.id(), "b");
    // What a hub that was killed could not forget is never given to the new device.
    address_.generation = "3";
    EXPECT_TRUE(hold(2).empty());
}

TEST_F(DeviceQueueTest, TellsWhenADeviceMayReceive) {
    std::mutex mutex;
    std::vector<std::string> ready;
    DeviceQueue::Observers observers;
    observers.ready = [&](const std::string& device) {
        const std::lock_guard lock(mutex);
        ready.push_back(device);
    };
    queue_->observe(observers);
    const auto told = [&] {
        // The observer runs behind `done` on the same thread, so before that of another operation.
        EXPECT_TRUE(
            wait_for<std::size_t>([&](auto done) { queue_->purge({"Other", "1"}, std::move(done)); }));
        const std::lock_guard lock(mutex);
        return std::exchange(ready, {});
    };
    ASSERT_TRUE(enqueue(message("a")));
    EXPECT_THAT(told(), testing::ElementsAre("TempSensor"));
    const auto held = receive();
    EXPECT_THAT(told(), testing::IsEmpty());
    ASSERT_TRUE(settle(held->lock_token, Settlement::abandon));
    EXPECT_THAT(told(), testing::ElementsAre("TempSensor"));
    ASSERT_TRUE(receive());
    clock_.move(std::chrono::seconds(60));
    sweep();
    EXPECT_THAT(told(), testing::ElementsAre("TempSensor")) << "its lock has run out";
    ASSERT_EQ(hold(1).size(), 1U);
    queue_->release("TempSensor", 1);
    EXPECT_THAT(told(), testing::ElementsAre("TempSensor"));
}

}  // namespace
