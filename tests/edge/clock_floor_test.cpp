// SPDX-License-Identifier: Apache-2.0
#include "edge/clock_floor.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/file.hpp"
#include "pki/csr.hpp"
#include "running_device.hpp"
#include "support/loops.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using namespace edge_test;
using std::chrono::days;
using support::SettableClock;

const support::StoppedClock still;  // at test_time()

/// A machine whose clock says what a test wants, and a program that was built a year before.
class Floor : public testing::Test {
  protected:
    std::optional<base::Instant> written() const { return edge::read_clock_floor(file_); }
    base::Instant built() const { return today_ - days(365); }

    support::TemporaryDirectory directory_;
    const base::Instant today_ = support::test_time();
    const std::filesystem::path file_ = directory_ / "clock_floor";
    SettableClock machine_{still};
    edge::ClockFloor floor_{machine_, file_, today_ - days(365)};
};

TEST_F(Floor, TimeIsTheMachinesWhereNothingSpeaksAgainstIt) {
    EXPECT_EQ(floor_.now(), today_);
    EXPECT_EQ(floor_.now_ms(), today_);
    EXPECT_TRUE(floor_.sound());
}

TEST_F(Floor, TimeIsNeverBeforeTheBuild) {
    machine_.set(base::Instant());
    EXPECT_EQ(floor_.now(), built());
    EXPECT_EQ(floor_.now_ms(), built());
    const auto wrong = floor_.sound();
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().text().find("clock wrong since boot"), std::string::npos);
    EXPECT_NE(wrong.error().text().find("1970-01-01"), std::string::npos);
    EXPECT_FALSE(wrong.error().fix.empty());
    machine_.set(built());
    EXPECT_TRUE(floor_.sound());
}

TEST_F(Floor, TimeIsNeverBeforeTheDeviceCertificateWasIssued) {
    floor_.set_own_not_before(today_ - days(10));
    machine_.set(today_ - days(11));
    EXPECT_EQ(floor_.now(), today_ - days(10));
    EXPECT_FALSE(floor_.sound());
    // It was replaced by one that was issued here, and proves nothing.
    floor_.set_own_not_before(std::nullopt);
    EXPECT_EQ(floor_.now(), today_ - days(11));
    EXPECT_TRUE(floor_.sound());
}

TEST_F(Floor, TimeIsNeverBeforeOneThatWasWrittenDown) {
    floor_.heard(today_, "hub");
    EXPECT_EQ(written(), today_);
    // Also of the process that starts next.
    machine_.set(today_ - days(30));
    const edge::ClockFloor next(machine_, file_, built());
    EXPECT_EQ(next.now(), today_);
    EXPECT_FALSE(next.sound());
}

TEST_F(Floor, SmallStepsBackAreNoWrongClock) {
    floor_.heard(today_, "hub");
    machine_.move(-4min);
    EXPECT_TRUE(floor_.sound());
    EXPECT_EQ(floor_.now(), today_);
    machine_.move(-2min);
    EXPECT_FALSE(floor_.sound());
}

TEST_F(Floor, OnlyATimeThatThePeerAgreesToIsWrittenDown) {
    floor_.heard(today_ + 6min, "hub");
    EXPECT_EQ(written(), std::nullopt);
    floor_.heard(today_ - 6min, "hub");
    EXPECT_EQ(written(), std::nullopt);
    floor_.heard(today_ - 4min, "hub");
    EXPECT_EQ(written(), today_ - 4min);
}

TEST_F(Floor, IsWrittenAtMostOnceAnHour) {
    floor_.heard(today_, "hub");
    machine_.move(59min);
    floor_.heard(machine_.now(), "hub");
    EXPECT_EQ(written(), today_);
    machine_.move(1min);
    floor_.heard(machine_.now(), "hub");
    EXPECT_EQ(written(), today_ + 1h);
}

TEST_F(Floor, AForgedTimeDoesNotLockTheDeviceOut) {
    machine_.set(today_ + days(14 * 365));
    floor_.heard(today_, "hub");
    EXPECT_EQ(written(), std::nullopt);
    machine_.set(today_);
    EXPECT_TRUE(floor_.sound());
    EXPECT_EQ(floor_.now(), today_);
}

TEST_F(Floor, ADamagedFileIsNone) {
    for (const auto* text : {"", "tomorrow", "2026-11-25", "9999-99-99T00:00:00Z\n"}) {
        ASSERT_TRUE(base::write_atomically(file_, text, base::public_mode));
        EXPECT_EQ(written(), std::nullopt) << text;
        EXPECT_EQ(floor_.now(), today_) << text;
    }
    floor_.heard(today_, "hub");
    EXPECT_EQ(written(), today_);
}

TEST_F(Floor, RootLowersAWrittenTimeThatIsAhead) {
    const edge::Paths paths(directory_.path());
    const auto file = edge::clock_floor_file(paths);
    ASSERT_TRUE(base::make_private_directories(file.parent_path()));
    EXPECT_EQ(edge::lower_clock_floor(paths, today_, built()).value(), std::nullopt);
    ASSERT_TRUE(base::write_atomically(file, base::format_rfc3339(today_ + days(5000)), base::public_mode));
    edge::ClockFloor floor(machine_, file, built());
    EXPECT_FALSE(floor.sound());
    EXPECT_EQ(edge::lower_clock_floor(paths, base::Instant(), built()).value(), std::nullopt) << "in 1970";
    EXPECT_FALSE(floor.sound());
    EXPECT_EQ(edge::lower_clock_floor(paths, today_, built()).value(), today_ + days(5000));
    EXPECT_TRUE(floor.sound());
    EXPECT_EQ(floor.now(), today_);
    // What lies behind us stays.
    EXPECT_EQ(edge::lower_clock_floor(paths, today_ + days(1), built()).value(), std::nullopt);
    EXPECT_EQ(edge::read_clock_floor(file), today_);
}

TEST(BuildTime, IsBehindUs) {
    EXPECT_LE(edge::build_time(), base::system_clock().now());
    EXPECT_GT(edge::build_time(), base::system_clock().now() - days(10 * 365));
}

http::Response create_client_certificate(RunningDevice& device) {
    const auto key = pki::PrivateKey::generate(pki::KeyType::ec_p256);
    pki::CsrWish wish;
    wish.common_name = "worker";
    const auto handle = member(
        ask(device.socket(edge::Service::keys), http::Verb::get, "/keypair/aziot-edged-ca"), "keyHandle");
    const edge::json::object body{{"certId", "worker"},
                                  {"csr", pki::make_csr_pem(wish, *key).value()},
                                  {"issuer", {{"certId", "aziot-edged-ca"}, {"privateKeyHandle", handle}}}};
    return ask(device.socket(edge::Service::certificates), http::Verb::post, "/certificates",
               edge::json::serialize(body));
}

TEST(ClockWrongSinceBoot, NothingIsIssuedOrRemovedUntilItIsRight) {
    SettableClock clock;
    RunningDevice device({.clock = &clock});
    device.wait_until_ready();
    const auto certificates = device.socket(edge::Service::certificates);
    clock.move(-days(20'000));
    const auto refused = create_client_certificate(device);
    EXPECT_EQ(refused.status, 500);
    EXPECT_NE(message(refused).find("clock wrong since boot"), std::string::npos) << refused.body;
    const auto kept = ask(certificates, http::Verb::delete_, "/certificates/aziot-edged-ca");
    EXPECT_EQ(kept.status, 500) << kept.body;
    EXPECT_EQ(ask(certificates, http::Verb::get, "/certificates/aziot-edged-ca").status, 200);
    clock.move(days(20'000));
    const auto issued = create_client_certificate(device);
    EXPECT_EQ(issued.status, 201) << issued.body;
}

TEST(ClockWrongSinceBoot, TheHubIsAskedOnceItIsRight) {
    FakeHub hub;
    SettableClock clock;
    clock.move(-days(20'000));
    RunningDevice device({.hub_port = hub.port(), .hub_ca = hub.ca_file(), .clock = &clock});
    const auto refused = ask(device.socket(edge::Service::identity), http::Verb::get,
                             "/identities/modules/$edgeHub?type=aziot");
    EXPECT_NE(message(refused).find("clock wrong since boot"), std::string::npos) << refused.body;
    EXPECT_TRUE(hub.calls().empty());
    clock.move(days(20'000));
    device.wait_until_ready();
    EXPECT_FALSE(hub.calls().empty());
    const auto written = edge::read_clock_floor(edge::clock_floor_file(device.paths()));
    ASSERT_TRUE(written);
    EXPECT_LE(std::chrono::abs(*written - clock.now()), 5min);
}

TEST(ClockWrongSinceBoot, ATimeThatTheHubDoesNotShareIsNotWrittenDown) {
    FakeHub hub;
    SettableClock clock;
    clock.move(days(1));
    RunningDevice device({.hub_port = hub.port(), .hub_ca = hub.ca_file(), .clock = &clock});
    device.wait_until_ready();
    EXPECT_FALSE(hub.calls().empty());
    EXPECT_EQ(edge::read_clock_floor(edge::clock_floor_file(device.paths())), std::nullopt);
}

}  // namespace
