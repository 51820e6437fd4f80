// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "support/crl_server.hpp"
#include "test_hub.hpp"

namespace hub_test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view certificates =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/ContosoIotHub/certificates/";

/// Connects, tells that it is in, and waits for its end.
net::Task<base::Error> stay(const TestHub& hub, MqttWish wish, std::function<void()> connected) {
    auto client = co_await hub.connect(std::move(wish));
    connected();
    if (!client) co_return client.error();
    const auto why = co_await ended_within(**client, 60s);
    co_return why ? *why : base::Error{base::Code::internal, "connection", "lives on", {}};
}

class HubRevocation : public testing::Test {
  protected:
    HubRevocation() {
        hub_.emplace("", "crl_urls = [\"" + server_.url() + "\"]\n");
        const boost::json::object body{
            {"properties", boost::json::object{{"certificate", hub_->pki().intermediate.certificate.pem()},
                                               {"isVerified", true}}}};
        const auto target = std::string(certificates) + "ca?api-version=2023-06-30";
        EXPECT_EQ(hub_->ask({.verb = http::Verb::put, .target = target, .body = boost::json::serialize(body)})
                      .status,
                  201);
        for (const auto* id : {"Good", "Bad"})
            hub_->put_device(id, std::string(R"({"deviceId":")") + id +
                                     R"(","authentication":{"type":"certificateAuthority"}})");
    }
    void revoke(std::vector<pki::Certificate> revoked) {
        server_.publish(hub_->pki().intermediate,
                        {.revoked = std::move(revoked), .number = ++number_, .at = hub_->clock().now()});
    }
    /// A minute passes, and what was then pulled has been taken.
    void let_pull() {
        for (int i = 0; i < 2; ++i) {
            const auto before = server_.requests();
            hub_->clock().move(61s);
            ASSERT_TRUE(server_.await_requests(before + 1));
        }
    }
    bool may_enter(const std::string& id, const support::Identity& identity) const {
        return hub_->try_connect({.device = id, .identity = &identity}).has_value();
    }

    support::CrlServer server_;
    std::optional<TestHub> hub_;
    std::uint64_t number_ = 0;
};

TEST_F(HubRevocation, RevokedDeviceIsCutOffWithinAMinuteAndTheOthersStay) {
    const auto good = hub_->device_identity("Good");
    const auto bad = hub_->device_identity("Bad");
    revoke({});
    let_pull();
    std::promise<void> connected;
    auto session = std::async(std::launch::async, [&] {
        return net::run_task_for(
            stay(*hub_, {.device = "Bad", .identity = &bad}, [&] { connected.set_value(); }));
    });
    std::promise<void> good_connected;
    auto good_session = std::async(std::launch::async, [&] {
        return net::run_task_for(
            stay(*hub_, {.device = "Good", .identity = &good}, [&] { good_connected.set_value(); }));
    });
    connected.get_future().wait();
    good_connected.get_future().wait();
    CapturedLog log;
    revoke({bad.certificate});
    hub_->clock().move(61s);
    EXPECT_NE(session.get().code, base::Code::internal) << "the session lives on";
    EXPECT_FALSE(may_enter("Bad", bad));
    EXPECT_TRUE(may_enter("Good", good));  // takes the place of its first connection
    const auto text = log.text();
    EXPECT_THAT(text, testing::HasSubstr("path.revocation failed"));
    EXPECT_THAT(text, testing::HasSubstr("keyCompromise"));
    EXPECT_THAT(text, testing::HasSubstr("crl.taken"));
    good_session.get();
}

TEST_F(HubRevocation, RevokedCertificateIsRefusedOverHttpsToo) {
    const auto bad = hub_->device_identity("Bad");
    const auto target = "/devices/Bad/messages/events?api-version=2020-03-13";
    const Caller caller{&bad, ""};
    EXPECT_EQ(hub_->ask({.verb = http::Verb::post, .target = target, .body = "x"}, caller).status, 204);
    revoke({bad.certificate});
    let_pull();
    EXPECT_EQ(hub_->ask({.verb = http::Verb::post, .target = target, .body = "x"}, caller).status, 401);
}

TEST_F(HubRevocation, HubThatStartsWithoutItsCaRefusesWhomItKnew) {
    const auto bad = hub_->device_identity("Bad");
    revoke({bad.certificate});
    let_pull();
    ASSERT_FALSE(may_enter("Bad", bad));
    server_.fail(503);
    hub_->restart();
    EXPECT_FALSE(may_enter("Bad", bad));
    EXPECT_TRUE(may_enter("Good", hub_->device_identity("Good")));
}

TEST_F(HubRevocation, DeviceThatIsRegisteredByThumbprintHasNoCrl) {
    const auto bad = hub_->device_identity("Bad");
    hub_->register_device("Thumb", bad);
    revoke({bad.certificate});
    let_pull();
    EXPECT_TRUE(may_enter("Thumb", bad));
}

}  // namespace
}  // namespace hub_test
