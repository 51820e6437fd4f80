// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <deque>

#include "net/completion.hpp"
#include "test_hub.hpp"

namespace hub_test {

/// What one client has been sent, in order. On the loop of the client.
class Inbox {
  public:
    std::function<void(const mqtt::Publish&)> handler() {
        return [this](const mqtt::Publish& message) {
            messages_.push_back(message);
            arrived_.notify();
        };
    }
    /// nullopt: nothing came.
    net::Task<std::optional<mqtt::Publish>> next() {
        while (messages_.empty()) {
            const bool woken = co_await arrived_.wait(std::chrono::seconds(20));
            if (!woken && messages_.empty()) co_return std::nullopt;
        }
        auto message = std::move(messages_.front());
        messages_.pop_front();
        co_return message;
    }
    std::size_t size() const { return messages_.size(); }

  private:
    std::deque<mqtt::Publish> messages_;
    net::Event arrived_;
};

/// A device "TempSensor", and what services and it say to each other.
class DeviceboundTest : public testing::Test {
  protected:
    DeviceboundTest() { hub_.register_device("TempSensor", identity_); }

    static Ask message(std::string body, std::map<std::string, std::string> headers = {}) {
        return {.verb = http::Verb::post,
                .target = "/devices/TempSensor/messages/devicebound",
                .body = std::move(body),
                .headers = std::move(headers)};
    }
    http::Response send(std::string body, std::map<std::string, std::string> headers = {}) {
        return hub_.ask(message(std::move(body), std::move(headers)));
    }
    Caller device() const { return {&identity_, {}}; }
    std::int64_t waiting() {
        return hub_.get("/devices/TempSensor").at("cloudToDeviceMessageCount").as_int64();
    }

    TestHub hub_;
    support::Identity identity_ = hub_.device_identity("TempSensor");
    const MqttWish wish_{.device = "TempSensor", .identity = &identity_};
};

inline const std::vector<mqtt::Subscription> devicebound{
    {"devices/TempSensor/messages/devicebound/#", mqtt::Qos::at_least_once}};

/// Returns once the hub has dealt with everything that the client has sent, acknowledgements too.
inline net::Task<> settle_all(TestHub& hub, mqtt::Client& client) {
    const std::string topic = "devices/TempSensor/messages/events/";
    const base::Bytes nothing;
    const auto sent = co_await client.publish(topic, nothing, mqtt::Qos::at_least_once);
    EXPECT_TRUE(sent.has_value());
    // Behind every job that was submitted before.
    const auto start = [&](auto done) { hub.hub().queue().purge({"Nobody", "1"}, std::move(done)); };
    const auto passed = co_await net::await_callback<base::Result<std::size_t>>(start);
    EXPECT_TRUE(passed.has_value());
}

}  // namespace hub_test
