// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"

/// Who is let in over MQTT, and who is refused with which code and which logged step.
namespace hub_test {
namespace {

using testing::HasSubstr;

class SessionTest : public testing::Test {
  protected:
    base::Status try_connect(MqttWish wish) { return hub_.try_connect(std::move(wish)); }

    void expect_refused(MqttWish wish, base::Code code, std::string_view step) {
        CapturedLog log;
        const auto client = try_connect(std::move(wish));
        const auto text = log.text();
        ASSERT_FALSE(client.has_value());
        EXPECT_EQ(client.error().code, code) << client.error().text();
        EXPECT_THAT(text, HasSubstr("session.refused"));
        EXPECT_THAT(text, HasSubstr(std::string(step)));
    }

    TestHub hub_;
};

TEST_F(SessionTest, AcceptsEitherThumbprint) {
    const auto first = hub_.device_identity("TempSensor");
    const auto second = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", first, &second);
    for (const auto* identity : {&first, &second}) {
        const auto client = try_connect({.device = "TempSensor", .identity = identity});
        EXPECT_TRUE(client.has_value()) << client.error().text();
    }
}

TEST_F(SessionTest, AcceptsLowerCaseThumbprintWithColons) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.put_device("TempSensor",
                    R"({"deviceId":"TempSensor","authentication":{"x509Thumbprint":{"primaryThumbprint":")" +
                        base::to_lower(pki::with_colons(identity.certificate.sha256())) +
                        R"("},"type":"selfSigned"}})");
    const auto client = try_connect({.device = "TempSensor", .identity = &identity});
    EXPECT_TRUE(client.has_value()) << client.error().text();
}

TEST_F(SessionTest, RefusesUnknownThumbprint) {
    const auto right = hub_.device_identity("TempSensor");
    const auto wrong = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", right);
    expect_refused({.device = "TempSensor", .identity = &wrong}, base::Code::unauthenticated,
                   "leaf.thumbprint");
}

TEST_F(SessionTest, RefusesWhoIsNotRegistered) {
    const auto identity = hub_.device_identity("Stranger");
    expect_refused({.device = "Stranger", .identity = &identity}, base::Code::unauthenticated,
                   "identity.registered");
}

TEST_F(SessionTest, RefusesDisabledDevice) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity, nullptr, R"("status":"disabled")");
    expect_refused({.device = "TempSensor", .identity = &identity}, base::Code::unauthenticated,
                   "identity.enabled");
}

TEST_F(SessionTest, RefusesExpiredCertificate) {
    const auto identity = hub_.device_identity("TempSensor", std::chrono::hours(1));
    hub_.register_device("TempSensor", identity);
    hub_.clock().move(std::chrono::hours(2));
    expect_refused({.device = "TempSensor", .identity = &identity}, base::Code::unauthenticated,
                   "leaf.validity");
}

TEST_F(SessionTest, RefusesCertificateOfAnotherDevice) {
    const auto mine = hub_.device_identity("TempSensor");
    const auto other = hub_.device_identity("Other");
    hub_.register_device("TempSensor", mine);
    hub_.register_device("Other", other);
    expect_refused({.device = "Other", .identity = &mine}, base::Code::unauthenticated, "leaf.thumbprint");
}

TEST_F(SessionTest, RefusesWithoutCredential) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    expect_refused({.device = "TempSensor"}, base::Code::unauthenticated, "credential.present");
}

TEST_F(SessionTest, RefusesClientIdThatDiffersWithCode2) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    expect_refused({.device = "TempSensor", .identity = &identity, .client_id = "Other"},
                   base::Code::invalid_argument, "identity.client_id");
    const auto nameless = try_connect({.device = "TempSensor", .identity = &identity, .client_id = ""});
    ASSERT_FALSE(nameless.has_value());
    EXPECT_EQ(nameless.error().code, base::Code::invalid_argument) << nameless.error().text();
}

TEST_F(SessionTest, RefusesMalformedUserNameWithCode4) {
    const auto identity = hub_.device_identity("TempSensor");
    expect_refused({.device = "TempSensor", .identity = &identity, .user_name = "TempSensor"},
                   base::Code::unauthenticated, "connack=4");
}

TEST_F(SessionTest, RefusesNameOfAnotherHub) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    expect_refused({.device = "TempSensor",
                    .identity = &identity,
                    .user_name = "fabrikam.local/TempSensor/?api-version=1"},
                   base::Code::unauthenticated, "fabrikam.local");
}

TEST_F(SessionTest, AcceptsEveryNameOfTheHubWithAnyPort) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    for (const auto* host : {"contosoiothub", "CONTOSOIOTHUB.LOCAL:8883", "127.0.0.1:443"}) {
        const auto client =
            try_connect({.device = "TempSensor",
                         .identity = &identity,
                         .user_name = std::string(host) + "/TempSensor/?api-version=2021-04-12"});
        EXPECT_TRUE(client.has_value()) << host;
    }
}

TEST_F(SessionTest, AcceptsTokenOfDeviceAndOfPolicyWithDeviceConnect) {
    const auto device = hub_.put_device("SasSensor", R"({"deviceId":"SasSensor"})");
    const auto key = device.at("authentication").at("symmetricKey").at("secondaryKey").as_string();
    const auto own =
        try_connect({.device = "SasSensor", .token = hub_.identity_token("SasSensor", "", std::string(key))});
    EXPECT_TRUE(own.has_value()) << own.error().text();
    const auto policy = try_connect({.device = "SasSensor", .token = hub_.policy_token("device")});
    EXPECT_TRUE(policy.has_value()) << policy.error().text();
    expect_refused({.device = "SasSensor", .token = hub_.policy_token("service")},
                   base::Code::unauthenticated, "token.policy");
    expect_refused({.device = "SasSensor", .token = "SharedAccessSignature nothing"},
                   base::Code::unauthenticated, "token.form");
}

TEST_F(SessionTest, RefusesWillForAnotherTopicWithoutConnack) {
    const auto identity = hub_.device_identity("TempSensor");
    hub_.register_device("TempSensor", identity);
    mqtt::Will will;
    will.topic = "devices/Other/messages/events/";
    const auto client = try_connect({.device = "TempSensor", .identity = &identity, .will = will});
    ASSERT_FALSE(client.has_value());
    EXPECT_NE(client.error().code, base::Code::unauthenticated) << client.error().text();
}

TEST_F(SessionTest, CertificateOfVerifiedCaLetsInDevicesOfCaTypeByCommonName) {
    const auto identity = hub_.device_identity("CaSensor");
    hub_.put_device("CaSensor",
                    R"({"deviceId":"CaSensor","authentication":{"type":"certificateAuthority"}})");
    expect_refused({.device = "CaSensor", .identity = &identity}, base::Code::unauthenticated,
                   "session.refused");
    const std::string target =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/ContosoIotHub/"
        "certificates/root?api-version=2023-06-30";
    const auto body = boost::json::serialize(boost::json::object{
        {"properties",
         boost::json::object{{"certificate", hub_.pki().root.certificate.pem()}, {"isVerified", true}}}});
    ASSERT_EQ(hub_.ask({.verb = http::Verb::put, .target = target, .body = body}).status, 201);
    const auto client = try_connect({.device = "CaSensor", .identity = &identity});
    EXPECT_TRUE(client.has_value()) << client.error().text();
    hub_.put_device("Other", R"({"deviceId":"Other","authentication":{"type":"certificateAuthority"}})");
    expect_refused({.device = "Other", .identity = &identity}, base::Code::unauthenticated,
                   "leaf.common_name");
}

}  // namespace
}  // namespace hub_test
