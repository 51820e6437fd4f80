// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "edge/edge_ca.hpp"
#include "edge/module_environment.hpp"
#include "pki/digest.hpp"
#include "pki/verify.hpp"
#include "running_device.hpp"
#include "support/certificates.hpp"

namespace {

using namespace edge_test;
using edge::json::serialize;
using edge::json::value;
using http::Verb;

class Workload : public testing::Test {
  protected:
    static constexpr const char* two_modules = R"(
[[principal]]
name = "mod1"
uid = 4001
idtype = ["module"]
names = ["mod1.local"]
)";

    Workload() : device_({hub_.port(), hub_.ca_file(), two_modules, true}) {
        device_.wait_until_ready();
        const auto answer = ask(device_.socket(edge::Service::identity), Verb::get,
                                "/identities/modules/$edgeHub?type=aziot");
        generation_ = edge::text_member(json_of(answer).at("spec"), "genId").value();
    }
    http::Response call(Verb verb, const std::string& target, std::string body = {},
                        std::string_view module = "$edgeHub") {
        return ask(device_.module_socket(module), verb, target, std::move(body), "2020-07-07");
    }
    std::string own(const std::string& what) const {
        return "/modules/%24edgeHub/genid/" + generation_ + "/" + what;
    }

    FakeHub hub_;
    RunningDevice device_;
    std::string generation_;
};

TEST_F(Workload, SignsWithTheKeyThatTheHubHasAndAsksNobody) {
    const auto before = hub_.calls().size();
    const auto answer =
        call(Verb::post, own("sign"), R"({"keyId":"primary","algo":"HMACSHA256","data":"ZGF0YQ=="})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto expected =
        pki::hmac_sha256(*base::from_base64(hub_.primary_key("$edgeHub")), base::as_bytes("data"));
    EXPECT_EQ(member(answer, "digest"), base::to_base64(expected));
    EXPECT_EQ(hub_.calls().size(), before);
    EXPECT_EQ(call(Verb::post, own("sign"), R"({"data":"!"})").status, 400);
    EXPECT_EQ(call(Verb::post, own("sign"), R"({})").status, 422);
}

TEST_F(Workload, ServerCertificateIsGoodForTheHostNameAndItsKeyIsNew) {
    const auto answer =
        call(Verb::post, own("certificate/server"), R"({"commonName":"edgegateway.local","expiration":"x"})");
    ASSERT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(answer.headers.get("connection"), "close");
    EXPECT_TRUE(answer.headers.get("content-length"));
    const auto chain = pki::certificates_from_pem(member(answer, "certificate"), "answer").value();
    // The quickstart Edge CA is its own root, and a root is never presented.
    ASSERT_EQ(chain.size(), 1U);
    const auto key_text = json_of(answer).at("privateKey");
    EXPECT_EQ(edge::text_member(key_text, "type").value(), "key");
    const auto key =
        pki::PrivateKey::from_pem(base::SecretBytes(edge::text_member(key_text, "bytes").value()), "key");
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->matches(chain.front()));
    EXPECT_TRUE(member(answer, "expiration").ends_with("+00:00"));
    EXPECT_EQ(chain.front().subject_alternative_names(),
              (std::vector<std::string>{"DNS:edgegateway.local", "DNS:edgeHub"}));

    const auto bundle =
        pki::TrustBundle::from_pem(member(call(Verb::get, "/trust-bundle"), "certificate"), "bundle").value();
    const std::optional<pki::PeerName> name = pki::PeerName::parse("edgegateway.local");
    const auto verdict = pki::verify({.chain = chain,
                                      .trust = bundle,
                                      .purpose = pki::Purpose::server,
                                      .name = &name,
                                      .now = base::system_clock().now()});
    EXPECT_TRUE(verdict.verdict.accepted()) << pki::to_text(verdict.verdict);
    const auto stored = device_.paths().home(edge::Service::certificates) / "certs" /
                        (edge::file_stem("aziot-edged/module/edgeHub:" + generation_ + ":server") + ".cer");
    EXPECT_TRUE(appears(stored));
    const auto again = call(Verb::post, own("certificate/server"), R"({"commonName":"edgeHub"})");
    ASSERT_EQ(again.status, 201);
    EXPECT_FALSE(key->matches(pki::Certificate::from_pem(member(again, "certificate")).value()));
}

TEST_F(Workload, AModuleBearsOnlyItsOwnNames) {
    const auto gateway = [&](const std::string& name) {
        return call(Verb::post, own("certificate/server"), serialize(value{{"commonName", name}})).status;
    };
    EXPECT_EQ(gateway("EdgeGateway.local"), 201);
    EXPECT_EQ(gateway("contosoiothub.local"), 403);
    EXPECT_EQ(gateway("mod1.local"), 403);
    EXPECT_EQ(gateway(""), 403);
    const auto* other = device_.workload().api("mod1");
    ASSERT_NE(other, nullptr);
    const auto identity =
        ask(device_.socket(edge::Service::identity), Verb::get, "/identities/modules/mod1?type=aziot");
    const auto generation = edge::text_member(json_of(identity).at("spec"), "genId").value();
    const auto module = [&](const std::string& name) {
        return call(Verb::post, "/modules/mod1/genid/" + generation + "/certificate/server",
                    serialize(value{{"commonName", name}}), "mod1")
            .status;
    };
    if (::geteuid() == 0) {  // the socket's caller is root or uid 4001
        EXPECT_EQ(module("mod1"), 201);
        EXPECT_EQ(module("mod1.local"), 201);
        EXPECT_EQ(module("edgegateway.local"), 403);
    } else {
        EXPECT_EQ(module("mod1"), 403);
    }
}

TEST_F(Workload, IdentityCertificateNamesTheModuleAsAUri) {
    const auto answer = call(Verb::post, "/modules/%24edgeHub/certificate/identity");
    ASSERT_EQ(answer.status, 201) << answer.body;
    const auto leaf = pki::Certificate::from_pem(member(answer, "certificate")).value();
    EXPECT_EQ(leaf.common_name(), "$edgeHub");
    EXPECT_EQ(leaf.extended_key_usage(), std::vector<std::string>{"clientAuth"});
    EXPECT_EQ(
        leaf.subject_alternative_names(),
        std::vector<std::string>{"URI:azureiot://contosoiothub.local/devices/EdgeGateway/modules/$edgeHub"});
}

TEST_F(Workload, SecretsAreAModulesOwn) {
    // A GUID's 32 hex digits as text, as edgeAgent sends it: the nonce has any length.
    const std::string iv = base::to_base64(base::as_bytes("0123456789abcdef0123456789abcdef"));
    const auto sealed = call(Verb::post, own("encrypt"),
                             serialize(value{{"plaintext", "c2VjcmV0"}, {"initializationVector", iv}}));
    ASSERT_EQ(sealed.status, 200) << sealed.body;
    const auto ciphertext = member(sealed, "ciphertext");
    const auto open = [&](const std::string& target, const std::string& with,
                          std::string_view module = "$edgeHub") {
        return call(Verb::post, target,
                    serialize(value{{"ciphertext", ciphertext}, {"initializationVector", with}}), module);
    };
    EXPECT_EQ(member(open(own("decrypt"), iv), "plaintext"), "c2VjcmV0");
    EXPECT_EQ(open(own("decrypt"), "AAAA").status, 400);
    EXPECT_EQ(open("/modules/%24edgeHub/genid/1/decrypt", iv).status, 403);
    EXPECT_EQ(call(Verb::post, "/modules/%24edgeHub/genid/1/encrypt",
                   serialize(value{{"plaintext", ""}, {"initializationVector", iv}}))
                  .status,
              403);
    EXPECT_NE(edge::secrets_derivation("a", "bc"), edge::secrets_derivation("ab", "c"));
}

TEST_F(Workload, ACallerOfAnothersSocketIsRefused) {
    const std::string body = R"({"data":""})";
    EXPECT_EQ(call(Verb::post, "/modules/mod1/genid/1/sign", body).status, 403);
    EXPECT_EQ(call(Verb::post, own("sign"), body, "mod1").status, 403);
    const auto* api = device_.workload().api("$edgeHub");
    const auto answer = ask_as(*api, 4242, Verb::post, own("sign"), body, "2020-07-07");
    EXPECT_EQ(answer.status, 403);
    EXPECT_TRUE(message(answer).starts_with("forbidden"));
    EXPECT_EQ(ask_as(*api, 4242, Verb::get, "/trust-bundle", {}, "2020-07-07").status, 200);
}

TEST_F(Workload, VersionsAndUnknownPaths) {
    EXPECT_EQ(ask(device_.module_socket("$edgeHub"), Verb::get, "/trust-bundle", {}, "2021-05-11").status,
              400);
    EXPECT_EQ(call(Verb::get, "/nothing").status, 404);
    EXPECT_EQ(call(Verb::get, own("sign")).status, 400);
    EXPECT_EQ(member(call(Verb::get, "/manifest-trust-bundle"), "certificate"), "");
    EXPECT_EQ(json_of(call(Verb::get, "/modules/")).at("modules").as_array().size(), 2U);
    EXPECT_EQ(json_of(call(Verb::get, "/modules")).at("modules").as_array().size(), 2U);
}

TEST_F(Workload, EveryVersionOfTheOriginalIsServed) {
    for (const std::string version :
         {"2018-06-28", "2019-01-30", "2019-10-22", "2019-11-05", "2020-07-07", "2021-12-07", "2022-08-03"}) {
        const auto answer = ask(device_.module_socket("$edgeHub"), Verb::post, own("sign"),
                                R"({"data":"ZGF0YQ=="})", version);
        EXPECT_EQ(answer.status, 200) << version << answer.body;
    }
}

/// One request of each endpoint that the service cannot follow, and what it says.
TEST_F(Workload, EveryEndpointRefusesWhatItCannotFollow) {
    struct Case {
        Verb verb;
        std::string target, body;
        int status;
        std::string words;
    };
    const std::string foreign = "/modules/%24edgeHub/genid/1/";
    const std::string iv = R"("initializationVector":"aXY=")";
    const std::vector<Case> cases{
        {Verb::post, own("sign"), "", 400, "missing request body"},
        {Verb::post, own("sign"), "{", 422, "not JSON"},
        {Verb::post, own("sign"), "{}", 422, "data"},
        {Verb::post, own("sign"), R"({"data":7})", 422, "data"},
        {Verb::post, own("sign"), R"({"data":"!"})", 400, "invalid parameter: data"},
        {Verb::post, foreign + "sign", R"({"data":""})", 403, "forbidden"},
        {Verb::post, "/modules/other/genid/1/sign", R"({"data":""})", 403, "forbidden"},
        {Verb::post, own("encrypt"), R"({"plaintext":""})", 422, "initializationVector"},
        {Verb::post, own("encrypt"), "{" + iv + "}", 422, "plaintext"},
        {Verb::post, own("encrypt"), R"({"plaintext":"!",)" + iv + "}", 400, "invalid parameter: plaintext"},
        {Verb::post, own("encrypt"), R"({"plaintext":"","initializationVector":""})", 400,
         "invalid parameter"},
        {Verb::post, foreign + "encrypt", R"({"plaintext":"",)" + iv + "}", 403, "forbidden"},
        {Verb::post, own("decrypt"), "{" + iv + "}", 422, "ciphertext"},
        {Verb::post, own("decrypt"), R"({"ciphertext":"",)" + iv + "}", 400, "invalid parameter"},
        {Verb::post, own("decrypt"), R"({"ciphertext":"!",)" + iv + "}", 400,
         "invalid parameter: ciphertext"},
        {Verb::post, foreign + "decrypt", R"({"ciphertext":"",)" + iv + "}", 403, "forbidden"},
        {Verb::post, own("certificate/server"), "{}", 422, "commonName"},
        {Verb::post, own("certificate/server"), R"({"commonName":["edgeHub"]})", 422, "commonName"},
        {Verb::post, own("certificate/server"), R"({"commonName":"other.local"})", 403, "may not bear"},
        {Verb::post, foreign + "certificate/server", R"({"commonName":"edgeHub"})", 403, "forbidden"},
        {Verb::get, own("certificate/server"), "", 400, "method not allowed"},
        {Verb::post, "/modules/mod1/certificate/identity", "", 403, "forbidden"},
        {Verb::post, "/modules/%24edgeHub/certificate/other", "", 404, "not found"},
        {Verb::post, "/modules", "{}", 400, "method not allowed"},
        {Verb::post, "/trust-bundle", "{}", 400, "method not allowed"},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.target + " " + each.body);
        const auto answer = call(each.verb, each.target, each.body);
        EXPECT_EQ(answer.status, each.status) << answer.body;
        EXPECT_NE(message(answer).find(each.words), std::string::npos) << answer.body;
    }
}

TEST_F(Workload, SocketsAreOpenToTheirCallers) {
    struct stat info{};
    ASSERT_EQ(::stat(device_.module_socket("$edgeHub").c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 0777, 0666U);
}

TEST_F(Workload, WritesTheModulesFilesOnceItHasAGenerationId) {
    const auto home = device_.paths().home(edge::Service::workload);
    const auto text = base::read_file(home / "env/edgeHub.env", "environment").value();
    EXPECT_NE(text.find("IOTEDGE_MODULEID=\"\\$edgeHub\"\n"), std::string::npos);
    EXPECT_NE(text.find("IOTEDGE_MODULEGENERATIONID=\"" + generation_ + "\"\n"), std::string::npos);
    EXPECT_NE(text.find("IOTEDGE_WORKLOADURI=\"unix://" + device_.module_socket("$edgeHub") + "\"\n"),
              std::string::npos);
    struct stat info{};
    ASSERT_EQ(::stat(device_.paths().gateway_file().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    auto table = base::ConfigTable::read(device_.paths().gateway_file()).value();
    EXPECT_EQ(table.string("hostname"), "edgegateway.local");
    EXPECT_EQ(table.table("hub")->string("name"), test_hub);
    EXPECT_EQ(table.table("hub")->string("address"), "127.0.0.1");
    EXPECT_EQ(table.table("hub")->strings("trusted_certs"),
              std::vector<std::string>{"file://" + hub_.ca_file()});
    auto environment = table.table("environment").value();
    EXPECT_EQ(environment.string("IOTEDGE_MODULEID"), "$edgeHub");
    EXPECT_EQ(environment.string("EdgeDeviceHostName"), "edgegateway.local");
    EXPECT_EQ(environment.string("IOTEDGE_AUTHSCHEME"), "sasToken");
    EXPECT_TRUE(std::filesystem::exists(home / "env/mod1.env"));
}

TEST(WorkloadWithoutHub, StillHasItsEdgeCaAndTrustBundle) {
    RunningDevice device({});
    device.wait_until_ready();
    const auto socket = device.module_socket("$edgeHub");
    EXPECT_EQ(ask(socket, Verb::get, "/trust-bundle", {}, "2020-07-07").status, 200);
    const auto answer =
        ask(socket, Verb::post, "/modules/%24edgeHub/genid/1/sign", R"({"data":""})", "2020-07-07");
    EXPECT_EQ(answer.status, 500);
    EXPECT_FALSE(std::filesystem::exists(device.paths().gateway_file()));
}

TEST(WorkloadWithAnEdgeCa, PresentsTheChainWithoutTheRoot) {
    support::TemporaryDirectory given;
    const auto now = base::system_clock().now();
    const auto make = [&](pki::Profile profile, std::string name, const support::Identity* issuer) {
        support::IdentityWish wish;
        wish.profile = profile;
        wish.common_name = std::move(name);
        wish.now = now;
        return support::make_identity(wish, issuer);
    };
    const auto root = make(pki::Profile::root, "my_private_root_CA", nullptr);
    const auto middle = make(pki::Profile::intermediate, "my_optional_intermediate_CA", &root);
    const auto ca = make(pki::Profile::edge_ca, "iotedged workload ca edgegateway", &middle);
    const pki::Chain file{ca.certificate, middle.certificate, root.certificate};
    ASSERT_TRUE(base::write_atomically(given / "ca.pem", pki::to_pem(file), 0644));
    ASSERT_TRUE(base::write_atomically(given / "ca.key", ca.key.pem()->bytes(), 0600));
    FakeHub hub;
    RunningDevice device({hub.port(), hub.ca_file(),
                          "[edge_ca]\ncert = \"file://" + (given / "ca.pem").string() + "\"\npk = \"file://" +
                              (given / "ca.key").string() + "\"\n",
                          true});
    device.wait_until_ready();
    const auto identity =
        ask(device.socket(edge::Service::identity), Verb::get, "/identities/modules/$edgeHub?type=aziot");
    const auto generation = edge::text_member(json_of(identity).at("spec"), "genId").value();
    const auto answer = ask(device.module_socket("$edgeHub"), Verb::post,
                            "/modules/$edgeHub/genid/" + generation + "/certificate/server",
                            R"({"commonName":"edgegateway.local"})", "2020-07-07");
    ASSERT_EQ(answer.status, 201) << answer.body;
    const auto chain = pki::certificates_from_pem(member(answer, "certificate"), "answer").value();
    ASSERT_EQ(chain.size(), 3U);
    EXPECT_EQ(chain[1].common_name(), "iotedged workload ca edgegateway");
    EXPECT_EQ(chain[2].common_name(), "my_optional_intermediate_CA");
}

TEST(EdgeCa, IsNamedAsInTheArticle) {
    EXPECT_EQ(edge::edge_ca_common_name("EdgeGateway"), "iotedged workload ca edgegateway");
    EXPECT_EQ(edge::edge_ca_common_name(std::string(128, 'A')).size(), 64U);
}

}  // namespace
