// SPDX-License-Identifier: Apache-2.0
#include "hub/kept_sessions.hpp"

#include <gtest/gtest.h>

#include "support/temporary_directory.hpp"

/// The part of an MQTT session that outlives its connection, by itself.
namespace {

using hub::Feed;
using mqtt::Qos;

class KeptSessionsTest : public testing::Test {
  protected:
    KeptSessionsTest() { open(); }
    void open() {
        kept_.reset();
        auto opened = hub::KeptSessions::open(directory_ / "sessions.db");
        ASSERT_TRUE(opened) << opened.error().text();
        kept_ = *std::move(opened);
    }
    hub::Subscriptions subscriptions(const trust::Identity& identity, std::vector<std::string> filters) {
        hub::Subscriptions made;
        for (const auto& filter : filters) EXPECT_TRUE(made.add(identity, filter, Qos::at_least_once));
        return made;
    }
    std::optional<hub::Subscriptions> find(const trust::Identity& identity, const std::string& generation) {
        auto found = kept_->find(identity, generation);
        EXPECT_TRUE(found) << found.error().text();
        return *found;
    }

    const trust::Identity device_{"Temp Sensor%\n", ""};
    const trust::Identity module_{"EdgeGateway", "mod1"};
    support::TemporaryDirectory directory_;
    std::unique_ptr<hub::KeptSessions> kept_;
};

TEST_F(KeptSessionsTest, KeepsSubscriptionsOverTheEndOfTheProcess) {
    const auto mine = subscriptions(
        device_, {"devices/" + device_.device + "/messages/devicebound/#", "$iothub/methods/POST/reboot/#"});
    const auto theirs = subscriptions(module_, {"$iothub/twin/res/#"});
    kept_->keep(device_, "1", mine);
    kept_->keep(module_, "1", theirs);
    EXPECT_EQ(find(device_, "1"), mine) << "at once";
    open();
    EXPECT_EQ(find(device_, "1"), mine);
    EXPECT_EQ(find(module_, "1"), theirs);
    EXPECT_EQ(find({"EdgeGateway", ""}, "1"), std::nullopt);
}

TEST_F(KeptSessionsTest, KeepsNothingOfNoSubscriptions) {
    kept_->keep(module_, "1", subscriptions(module_, {"$iothub/twin/res/#"}));
    kept_->keep(module_, "1", {});
    EXPECT_EQ(find(module_, "1"), std::nullopt);
    open();
    EXPECT_EQ(find(module_, "1"), std::nullopt);
}

TEST_F(KeptSessionsTest, ForgetsASessionAndThoseOfADevice) {
    const auto some = [&](const trust::Identity& identity) {
        return subscriptions(identity, {"$iothub/twin/res/#"});
    };
    const trust::Identity other{"EdgeGateway", "mod2"};
    for (const auto& identity : {device_, module_, other}) kept_->keep(identity, "1", some(identity));
    kept_->forget(other);
    EXPECT_EQ(find(other, "1"), std::nullopt);
    EXPECT_TRUE(find(module_, "1"));
    kept_->forget_device("EdgeGateway");
    open();
    EXPECT_EQ(find(module_, "1"), std::nullopt);
    EXPECT_EQ(find(other, "1"), std::nullopt);
    EXPECT_TRUE(find(device_, "1"));
}

TEST_F(KeptSessionsTest, IsOfOneLifeOfItsIdentity) {
    kept_->keep(module_, "1", subscriptions(module_, {"$iothub/twin/res/#"}));
    EXPECT_EQ(find(module_, "2"), std::nullopt);
}

}  // namespace
