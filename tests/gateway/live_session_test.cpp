// SPDX-License-Identifier: Apache-2.0
// What ends a session that is live at the gateway.
#include "gateway_fixture.hpp"

namespace {

using namespace gateway_test;

class GatewaySession : public Gateway {
  protected:
    /// Connects, lets `change` happen at the hub, and expects that this ended the session and keeps it out.
    void expect_ended_by(const std::string& id, const support::Identity& identity,
                         const std::function<void()>& change) {
        start_gateway();
        auto session = stay_connected(client_options(id, &identity, ""));
        ASSERT_NE(session.wait_for(seconds(0)), std::future_status::ready) << "the session did not start";
        change();
        ASSERT_EQ(session.wait_for(seconds(30)), std::future_status::ready) << "the session lived on";
        const auto why = session.get();
        ASSERT_TRUE(why) << why.error().text();
        EXPECT_FALSE(send(id, &identity, {}).accepted());
    }
    support::Identity add_ca_device(const std::string& id) {
        auto record = records::leaf(id, "EdgeGateway");
        record.authentication = {};
        record.authentication.type = trust::AuthType::certificate_authority;
        state_.put(record);
        return identity_of(pki::Profile::device, id, &intermediate_);
    }
    trust::Record record(const std::string& id) {
        const std::lock_guard lock(state_.mutex);
        return state_.records.at({id, ""});
    }
};

TEST_F(GatewaySession, EndsWhenItsDeviceIsDisabled) {
    const auto sensor = add_thumbprint_device("TempSensor");
    expect_ended_by("TempSensor", sensor, [this] {
        auto changed = record("TempSensor");
        changed.status = trust::Enablement::disabled;
        state_.put(changed);
    });
}

TEST_F(GatewaySession, EndsWhenItsDeviceIsDeleted) {
    const auto sensor = add_thumbprint_device("TempSensor");
    expect_ended_by("TempSensor", sensor, [this] { state_.remove({"TempSensor", ""}); });
}

TEST_F(GatewaySession, EndsWhenItsDeviceGetsAnotherParent) {
    const auto sensor = add_thumbprint_device("TempSensor");
    state_.put(records::edge("OtherGateway"));
    expect_ended_by("TempSensor", sensor, [this] {
        auto changed = record("TempSensor");
        changed.device_scope = records::scope_of("OtherGateway");
        changed.parent_scopes = {records::scope_of("OtherGateway")};
        state_.put(changed);
    });
}

TEST_F(GatewaySession, EndsWhenItsDeviceHasNoParentAnyMore) {
    const auto sensor = add_thumbprint_device("TempSensor");
    expect_ended_by("TempSensor", sensor, [this] {
        auto changed = record("TempSensor");
        changed.device_scope.clear();
        changed.parent_scopes.clear();
        state_.put(changed);
    });
}

TEST_F(GatewaySession, EndsWhenItsThumbprintsAreReplaced) {
    const auto sensor = add_thumbprint_device("TempSensor");
    expect_ended_by("TempSensor", sensor, [this] { add_thumbprint_device("TempSensor"); });
}

TEST_F(GatewaySession, EndsWhenTheCaOfItsCertificateIsRemoved) {
    const auto sensor = add_ca_device("Ca");
    state_.put_certificates({{"root", root_.certificate}});
    expect_ended_by("Ca", sensor, [this] { state_.put_certificates({}); });
}

TEST_F(GatewaySession, ChangeOfAnotherDeviceLeavesItAlone) {
    const auto sensor = add_thumbprint_device("TempSensor");
    const auto other = add_thumbprint_device("Other");
    start_gateway();
    auto session = stay_connected(client_options("TempSensor", &sensor, ""));
    auto ended = stay_connected(client_options("Other", &other, ""));
    state_.remove({"Other", ""});
    ASSERT_EQ(ended.wait_for(seconds(30)), std::future_status::ready);
    EXPECT_TRUE(ended.get());
    EXPECT_EQ(session.wait_for(seconds(0)), std::future_status::timeout);
    stop_gateway();
    EXPECT_TRUE(session.get());
}

/// Stays until the clock has passed the end of its certificate.
net::Task<> expect_ended_by_time(mqtt::Client::Options options, base::Instant end, MovableClock& clock) {
    auto client = co_await mqtt::Client::connect(std::move(options), base::system_clock());
    EXPECT_TRUE(client) << client.error().text();
    if (!client) co_return;
    const std::string topic = "devices/TempSensor/messages/events/";
    base::Bytes nothing;
    auto before = co_await (*client)->publish(topic, nothing, mqtt::Qos::at_least_once);
    EXPECT_TRUE(before) << before.error().text();
    clock.move(end - clock.now());
    auto ended = co_await (*client)->ended();
    EXPECT_NE(ended.code, base::Code::timeout) << ended.text();
}

TEST_F(GatewaySession, EndsWhenItsCertificateExpires) {
    support::IdentityWish wish;
    wish.common_name = "TempSensor";
    wish.lifetime = std::chrono::minutes(10);
    wish.now = now();
    const auto sensor = add_thumbprint_device("TempSensor", support::make_identity(wish, &intermediate_));
    start_gateway();
    auto options = client_options("TempSensor", &sensor, "");
    // Longer than the certificate lives, so that the silence ends nothing.
    options.connect.keep_alive = 1177;
    net::run_task(expect_ended_by_time(std::move(options), sensor.certificate.not_after(), clock_));
}

}  // namespace
