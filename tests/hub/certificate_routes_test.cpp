// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_hub.hpp"

namespace hub_test {
namespace {

using http::Verb;

const std::string arm = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/";

class CertificateRoutesTest : public testing::Test {
  protected:
    static std::string target(const std::string& name) {
        return arm + "ContosoIotHub/certificates" + (name.empty() ? "" : "/" + name) +
               "?api-version=2023-06-30";
    }
    static std::string upload(const std::string& text, bool verified = true) {
        return boost::json::serialize(boost::json::object{
            {"properties", boost::json::object{{"certificate", text}, {"isVerified", verified}}}});
    }
    http::Response put(const std::string& name, const std::string& text, bool verified = true,
                       std::string match = {}) {
        return hub_.ask(
            {.verb = Verb::put, .target = target(name), .body = upload(text, verified), .if_match = match});
    }
    http::Response post(const std::string& name, const std::string& action, const std::string& match,
                        const std::string& body = {}) {
        const auto path = arm + "ContosoIotHub/certificates/" + name + "/" + action;
        return hub_.ask({.verb = Verb::post,
                         .target = path + "?api-version=2023-06-30",
                         .body = body,
                         .if_match = match});
    }
    static std::string proof_body(const std::string& text) {
        return boost::json::serialize(boost::json::object{{"certificate", text}});
    }
    support::Identity proof_of(const std::string& code) const {
        return support::make_identity({.common_name = code, .now = hub_.clock().now()}, &hub_.pki().root);
    }
    static std::string etag(const http::Response& answer) {
        return "\"" + std::string(boost::json::parse(answer.body).at("etag").as_string()) + "\"";
    }
    static std::string code(const http::Response& answer) {
        return std::string(
            boost::json::parse(answer.body).at("properties").at("verificationCode").as_string());
    }
    static std::string error(const http::Response& answer) {
        const auto body = boost::json::parse(answer.body).as_object();
        EXPECT_EQ(body.at("error").at("code"), body.at("code"));
        EXPECT_EQ(body.at("error").at("message"), body.at("message"));
        return std::string(body.at("code").as_string());
    }
    TestHub hub_;
};

TEST_F(CertificateRoutesTest, UploadIsCreatedThenReplacedThenDeleted) {
    const auto& root = hub_.pki().root.certificate;
    const auto created = put("root", base::to_base64(root.der()));
    EXPECT_EQ(created.status, 201) << created.body;
    const auto document = boost::json::parse(created.body).as_object();
    EXPECT_EQ(document.at("properties").at("thumbprint").as_string(), base::to_hex_upper(root.sha1()));
    EXPECT_EQ(document.at("properties").at("subject").as_string(), root.subject());
    EXPECT_TRUE(document.at("properties").at("isVerified").as_bool());
    EXPECT_EQ(put("root", root.pem()).status, 412) << "replacing needs If-Match";
    const std::string etag(document.at("etag").as_string());
    EXPECT_EQ(put("root", base::to_base64(base::as_bytes(root.pem())), false, "\"" + etag + "\"").status,
              200);
    const auto listed = hub_.get(target(""));
    ASSERT_EQ(listed.at("value").as_array().size(), 1U);
    EXPECT_FALSE(listed.at("value").as_array()[0].at("properties").at("isVerified").as_bool())
        << "a replaced one is as verified as the new upload says";
    EXPECT_EQ(hub_.ask({.verb = Verb::delete_, .target = target("root")}).status, 412);
    EXPECT_EQ(hub_.ask({.verb = Verb::delete_, .target = target("root"), .if_match = "*"}).status, 204);
    const auto gone = hub_.ask({.target = target("root")});
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(boost::json::parse(gone.body).at("code").as_string(), "CertificateNotFound");
}

TEST_F(CertificateRoutesTest, RefusesWhatIsNoSingleCaCertificate) {
    const auto leaf = hub_.device_identity("TempSensor");
    const auto key = leaf.key.pem();
    ASSERT_TRUE(key.has_value());
    const auto& root = hub_.pki().root.certificate;
    for (const auto& text : {std::string("nonsense"), std::string(), leaf.certificate.pem(),
                             root.pem() + std::string(key->text()), root.pem() + root.pem(),
                             base::to_base64(base::as_bytes(std::string("DER it is not")))}) {
        const auto answer = put("x", text);
        EXPECT_EQ(answer.status, 400) << answer.body;
        EXPECT_EQ(answer.body.find("BEGIN"), std::string::npos) << "nothing of the upload is repeated";
    }
    EXPECT_EQ(put("a%2Fb", root.pem()).status, 400);
    EXPECT_EQ(put(std::string(65, 'a'), root.pem()).status, 400);
    EXPECT_EQ(hub_.ask({.verb = Verb::put, .target = target("x"), .body = "[]"}).status, 400);
}

TEST_F(CertificateRoutesTest, TakesTheOwnersTokenAsBearerAndNoOther) {
    const auto owner = hub_.policy_token("iothubowner");
    EXPECT_EQ(hub_.ask({.target = target("")}, {nullptr, "Bearer " + owner}).status, 200);
    EXPECT_EQ(hub_.ask({.target = target("")}, {nullptr, "Bearer " + hub_.policy_token("registryReadWrite")})
                  .status,
              401);
    EXPECT_EQ(hub_.ask({.target = target("")}, {nullptr, "Bearer anything"}).status, 401);
    EXPECT_EQ(hub_.ask({.target = "/devices"}, {nullptr, "Bearer " + owner}).status, 401);
}

TEST_F(CertificateRoutesTest, KnowsOnlyItself) {
    EXPECT_EQ(hub_.ask({.target = arm + "FabrikamHub/certificates"}).status, 404);
}

TEST_F(CertificateRoutesTest, EveryWriteIsLoggedWithPolicyAddressAndThumbprint) {
    const auto& root = hub_.pki().root.certificate;
    CapturedLog log;
    put("root", root.pem());
    const auto text = log.text();
    EXPECT_THAT(text, testing::HasSubstr("ca_certificate.changed"));
    EXPECT_THAT(text, testing::HasSubstr("policy iothubowner"));
    EXPECT_THAT(text, testing::HasSubstr("127.0.0.1:"));
    EXPECT_THAT(text, testing::HasSubstr(base::to_hex_upper(root.sha256())));
}

net::Task<> expect_ended_by_delete(TestHub& hub, const support::Identity& identity, std::string target) {
    const MqttWish wish{.device = "CaSensor", .identity = &identity};
    auto client = co_await hub.connect(wish);
    EXPECT_TRUE(client.has_value()) << client.error().text();
    if (!client) co_return;
    const Ask question{.verb = Verb::delete_, .target = target, .if_match = "*"};
    const Caller owner = hub.owner();
    const auto deleted = co_await hub.call(question, owner);
    EXPECT_EQ(deleted.status, 204) << deleted.body;
    const auto ended = co_await ended_within(**client, patience);
    EXPECT_TRUE(ended.has_value()) << "the session lived on";
}

TEST_F(CertificateRoutesTest, DeletingACaEndsTheSessionsThatItLetIn) {
    const auto identity = hub_.device_identity("CaSensor");
    hub_.put_device("CaSensor",
                    R"({"deviceId":"CaSensor","authentication":{"type":"certificateAuthority"}})");
    ASSERT_EQ(put("root", hub_.pki().root.certificate.pem()).status, 201);
    net::run_task(expect_ended_by_delete(hub_, identity, target("root")));
}

TEST_F(CertificateRoutesTest, UnverifiedCaLetsNobodyIn) {
    const auto identity = hub_.device_identity("CaSensor");
    hub_.put_device("CaSensor",
                    R"({"deviceId":"CaSensor","authentication":{"type":"certificateAuthority"}})");
    ASSERT_EQ(put("root", hub_.pki().root.certificate.pem(), false).status, 201);
    EXPECT_FALSE(hub_.try_connect({.device = "CaSensor", .identity = &identity}).has_value());
}

TEST_F(CertificateRoutesTest, ProofOfPossessionOpensTheDoor) {
    const auto identity = hub_.device_identity("CaSensor");
    hub_.put_device("CaSensor",
                    R"({"deviceId":"CaSensor","authentication":{"type":"certificateAuthority"}})");
    const auto uploaded = put("root", hub_.pki().root.certificate.pem(), false);
    ASSERT_EQ(uploaded.status, 201);
    const auto opened = post("root", "generateVerificationCode", etag(uploaded));
    ASSERT_EQ(opened.status, 200) << opened.body;
    EXPECT_NE(etag(opened), etag(uploaded));
    EXPECT_FALSE(boost::json::parse(opened.body).at("properties").at("isVerified").as_bool());
    EXPECT_EQ(hub_.get(target("root")).at("properties").as_object().contains("verificationCode"), false);
    EXPECT_FALSE(hub_.try_connect({.device = "CaSensor", .identity = &identity}).has_value());

    const auto proof = proof_of(code(opened));
    const auto verified = post("root", "verify", etag(opened), proof_body(proof.certificate.pem()));
    ASSERT_EQ(verified.status, 200) << verified.body;
    EXPECT_TRUE(boost::json::parse(verified.body).at("properties").at("isVerified").as_bool());
    EXPECT_NE(etag(verified), etag(opened));
    EXPECT_TRUE(hub_.try_connect({.device = "CaSensor", .identity = &identity}).has_value());

    EXPECT_EQ(put("root", hub_.pki().root.certificate.pem(), false, etag(verified)).status, 200);
    EXPECT_FALSE(hub_.try_connect({.device = "CaSensor", .identity = &identity}).has_value())
        << "what replaces it is unverified";
}

TEST_F(CertificateRoutesTest, ProofIsTakenAsPemBase64OrAChainAndNeverWithAKey) {
    std::string last = etag(put("root", hub_.pki().root.certificate.pem(), false));
    const auto next = [&] {
        const auto answer = post("root", "generateVerificationCode", last);
        last = etag(answer);
        return proof_of(code(answer));
    };
    const auto verify = [&](const std::string& text) {
        const auto answer = post("root", "verify", last, proof_body(text));
        if (answer.status == 200) last = etag(answer);
        return answer.status;
    };
    EXPECT_EQ(verify(next().certificate.pem()), 200);
    EXPECT_EQ(verify(base::to_base64(next().certificate.der())), 200);
    EXPECT_EQ(verify(base::to_base64(base::as_bytes(next().certificate.pem()))), 200);
    EXPECT_EQ(verify(next().certificate.pem() + hub_.pki().root.certificate.pem()), 200);
    const auto good = next();
    const auto key = good.key.pem();
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(verify(good.certificate.pem() + std::string(key->text())), 400);
    EXPECT_EQ(verify("nonsense"), 400);
    EXPECT_EQ(verify(proof_of("AABB").certificate.pem()), 400);
    for (const auto* body : {"", "[]", "{}", R"({"certificate":7})"})
        EXPECT_EQ(post("root", "verify", last, body).status, 400) << body;
    EXPECT_EQ(verify(good.certificate.pem()), 200) << "a refused proof spends no code";
}

TEST_F(CertificateRoutesTest, ProofNeedsTheEtagAndErrorsHaveTheFormOfTheResourceManager) {
    const auto uploaded = put("root", hub_.pki().root.certificate.pem(), false);
    for (const auto* action : {"generateVerificationCode", "verify"}) {
        const auto body = proof_body(proof_of("AABB").certificate.pem());
        const auto missing = post("root", action, "", body);
        EXPECT_EQ(missing.status, 412);
        EXPECT_EQ(error(missing), "PreconditionFailed");
        EXPECT_EQ(post("root", action, "\"AAAA\"", body).status, 412);
        const auto unknown = post("nobody", action, "*", body);
        EXPECT_EQ(unknown.status, 404);
        EXPECT_EQ(error(unknown), "CertificateNotFound");
    }
    EXPECT_EQ(error(post("root", "verify", etag(uploaded), proof_body(proof_of("AA").certificate.pem()))),
              "ArgumentInvalid");
    const auto refused = hub_.ask({.target = target("")}, {nullptr, ""});
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(error(refused), "IotHubUnauthorized");
}

}  // namespace
}  // namespace hub_test
