// SPDX-License-Identifier: Apache-2.0
// What becomes of a device whose certificate is renewed, or is not: the services as a whole, over their
// sockets.
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "pki/verify.hpp"
#include "running_device.hpp"
#include "support/certificates.hpp"
#include "support/settable_clock.hpp"

namespace {

using namespace edge_test;
using http::Verb;
using std::chrono::days;
using std::chrono::minutes;

/// Asks until it is so; fails the test where that takes too long.
void until(const char* what, const std::function<bool()>& is_so) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
        ASSERT_LT(std::chrono::steady_clock::now(), limit) << what;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

class DeviceRenewal : public testing::Test {
  protected:
    DeviceRenewal() {
        support::IdentityWish wish;
        wish.profile = pki::Profile::root;
        wish.common_name = "my_local_CA";
        wish.now = clock_.now();
        const auto ca = support::make_identity(wish);
        const auto stem = (given_.path() / "local").string();
        EXPECT_TRUE(base::write_atomically(stem + ".pem", ca.certificate.pem(), 0644));
        EXPECT_TRUE(base::write_atomically(stem + ".key", ca.key.pem()->bytes(), 0600));
        RunningDevice::Options options{.hub_port = hub_.port(), .hub_ca = hub_.ca_file(), .clock = &clock_};
        options.more = "[cert_issuance.local_ca]\ncert = \"file://" + stem + ".pem\"\npk = \"file://" + stem +
                       ".key\"\n";
        options.authentication =
            "method = \"x509\"\n[provisioning.authentication.identity_cert]\nmethod = \"local_ca\"\n"
            "expiry_days = 90\nauto_renew = { rotate_key = true, threshold = \"80%\", retry = \"4%\" }";
        device_ = std::make_unique<RunningDevice>(options);
        device_->wait_until_ready();
    }

    std::optional<pki::Certificate> certificate(const std::string& id) {
        const auto answer =
            ask(device_->socket(edge::Service::certificates), Verb::get, "/certificates/" + id);
        if (answer.status != 200) return std::nullopt;
        return pki::Certificate::from_pem(member(answer, "pem")).value();
    }
    static std::string thumbprint(const pki::Certificate& certificate) {
        return base::to_hex_upper(certificate.sha256());
    }
    http::Response create_module(const std::string& name) {
        return ask(device_->socket(edge::Service::identity), Verb::post, "/identities/modules",
                   R"({"type":"aziot","moduleId":")" + name + "\"}");
    }
    http::Response as_gateway(const std::string& what, const std::string& body) {
        return ask(device_->module_socket("$edgeHub"), Verb::post,
                   "/modules/%24edgeHub/genid/" + hub_.generation("$edgeHub") + "/" + what, body,
                   "2020-07-07");
    }

    support::TemporaryDirectory given_;
    support::SettableClock clock_;
    FakeHub hub_;
    std::unique_ptr<RunningDevice> device_;
};

TEST_F(DeviceRenewal, OldCertificateStaysUntilTheHubTakesTheNewOneAndNothingLocalStopsWhereItExpires) {
    const auto first = certificate("device-id").value();
    const auto key = hub_.primary_key("$edgeHub");
    hub_.accept_only(thumbprint(first));
    clock_.move(days(80));
    until("the next certificate is made", [&] { return certificate("device-id-temp").has_value(); });
    const auto next = certificate("device-id-temp").value();
    EXPECT_EQ(create_module("mod1").status, 200) << "the old one opens the hub";
    EXPECT_EQ(certificate("device-id"), first);

    hub_.accept_only("none");
    clock_.move(days(11));
    const auto refused = create_module("mod2");
    EXPECT_EQ(refused.status, 404);
    EXPECT_NE(message(refused).find("has expired at"), std::string::npos) << refused.body;
    EXPECT_NE(message(refused).find("certificate.renewal_failed"), std::string::npos) << refused.body;
    EXPECT_EQ(as_gateway("sign", R"({"keyId":"primary","algo":"HMACSHA256","data":"AAAA"})").status, 200);
    EXPECT_EQ(
        ask(device_->socket(edge::Service::identity), Verb::post, "/identities/device", R"({"type":"aziot"})")
            .status,
        200);
    until("the Edge CA is renewed", [&] {
        return as_gateway("certificate/server", R"({"commonName":"edgegateway.local"})").status == 201;
    });

    hub_.accept_only(thumbprint(next));
    clock_.move(minutes(65));
    until("the next certificate is taken over", [&] {
        // An offer that was under way when the hub changed its mind has its next one by the new time.
        clock_.move(minutes(2));
        return certificate("device-id") == next;
    });
    EXPECT_EQ(create_module("mod2").status, 200);
    EXPECT_EQ(hub_.primary_key("$edgeHub"), key);
    EXPECT_FALSE(certificate("device-id-temp"));
}

TEST_F(DeviceRenewal, HubThatLooksAtTheIssuerTakesTheNewOneAtOnce) {
    const auto first = certificate("device-id").value();
    clock_.move(days(80));
    until("the next certificate is taken over", [&] { return certificate("device-id") != first; });
    EXPECT_EQ(create_module("mod1").status, 200);
}

TEST_F(DeviceRenewal, NextCertificateIsTheSameAfterARestart) {
    hub_.accept_only(thumbprint(certificate("device-id").value()));
    clock_.move(days(80));
    until("the next certificate is made", [&] { return certificate("device-id-temp").has_value(); });
    const auto next = certificate("device-id-temp").value();
    device_->stop();
    hub_.accept_only(thumbprint(next));
    device_->start();
    until("the next certificate is taken over", [&] { return certificate("device-id") == next; });
}

TEST_F(DeviceRenewal, LostKeysAreNoticedByWhoNeedsThemAndMadeAnewWithTheirCertificates) {
    for (const auto* id : {"device-id", "aziot-edged-ca"})
        std::filesystem::remove(device_->paths().home(edge::Service::keys) / "keys" /
                                (edge::file_stem(id) + ".key"));
    until("the device opens the hub", [&] { return create_module("mod1").status == 200; });
    until("the Edge CA issues", [&] {
        return as_gateway("certificate/server", R"({"commonName":"edgegateway.local"})").status == 201;
    });
}

TEST_F(DeviceRenewal, QuickstartEdgeCaIsRenewedWhileTheServiceRunsAndBothAreTrusted) {
    const auto first = certificate("aziot-edged-ca").value();
    const auto leaf = [&] {
        const auto answer = as_gateway("certificate/server", R"({"commonName":"edgegateway.local"})");
        EXPECT_EQ(answer.status, 201) << answer.body;
        return pki::Certificate::from_pem(member(answer, "certificate")).value();
    };
    const auto is_trusted = [&](const pki::Certificate& issued) {
        const auto bundle =
            ask(device_->module_socket("$edgeHub"), Verb::get, "/trust-bundle", {}, "2020-07-07");
        const auto trust = pki::TrustBundle::from_pem(member(bundle, "certificate"), "bundle").value();
        const pki::Chain chain{issued};
        return pki::verify(
                   {.chain = chain, .trust = trust, .purpose = pki::Purpose::server, .now = clock_.now()})
            .verdict.accepted();
    };
    clock_.move(days(71));
    const auto old = leaf();
    EXPECT_LE(old.not_after(), first.not_after());
    // In the midst of it certificates are issued, under the one or the other.
    clock_.move(days(1));
    for (int i = 0; i < 50; ++i) EXPECT_EQ(leaf().issuer(), first.subject());
    until("the Edge CA is renewed", [&] { return certificate("aziot-edged-ca") != first; });
    EXPECT_EQ(certificate("aziot-edged-ca")->subject(), first.subject());
    EXPECT_TRUE(is_trusted(leaf()));
    EXPECT_TRUE(is_trusted(old));
}

}  // namespace
