// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/serialize.hpp>
#include <future>
#include <set>

#include "base/file.hpp"
#include "pki/csr.hpp"
#include "running_device.hpp"
#include "support/certificates.hpp"

namespace {

using namespace edge_test;
using edge::json::serialize;
using edge::json::value;
using http::Verb;

/// All services, since issuing signs through the keys service; nobody is the hub.
class Certificates : public testing::Test {
  protected:
    http::Response call(Verb verb, std::string target, std::string body = {}, uid_t user = 0) {
        return ask_as(device_.certificates().api(), user, verb, std::move(target), std::move(body));
    }
    http::Response over_socket(Verb verb, std::string target, std::string body = {}) {
        return ask(device_.socket(edge::Service::certificates), verb, std::move(target), std::move(body));
    }
    std::string edge_ca_handle() {
        return member(ask(device_.socket(edge::Service::keys), Verb::get, "/keypair/aziot-edged-ca"),
                      "keyHandle");
    }
    std::string request(const std::string& id, const pki::CsrWish& wish, const std::string& handle = {}) {
        const auto key = pki::PrivateKey::generate(pki::KeyType::ec_p256);
        edge::json::object body{{"certId", id}, {"csr", pki::make_csr_pem(wish, *key).value()}};
        if (!handle.empty()) body["issuer"] = {{"certId", "aziot-edged-ca"}, {"privateKeyHandle", handle}};
        return serialize(body);
    }
    std::filesystem::path file(std::string_view id) const {
        return device_.paths().home(edge::Service::certificates) / "certs" / (edge::file_stem(id) + ".cer");
    }

    RunningDevice device_{{}};
};

TEST_F(Certificates, QuickstartEdgeCaIsMadeAtTheFirstStart) {
    device_.wait_until_ready();
    const auto path = file("aziot-edged-ca");
    EXPECT_EQ(path.filename(),
              "aziotedgedca-86f154be7ff14480027f0d00c59c223db6d9e4ab0b559fc523cca36a7c973d6d.cer");
    const auto ca = pki::Certificate::from_pem(base::read_file(path, "certificate").value());
    ASSERT_TRUE(ca);
    EXPECT_EQ(ca->common_name(), "iotedged workload ca edgegateway");
    EXPECT_TRUE(ca->is_ca());
    EXPECT_TRUE(ca->is_self_issued());
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0644U);
    ASSERT_EQ(::stat(path.parent_path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(Certificates, TheIdDecidesWhatIsIssuedAndTheKeyStaysAway) {
    device_.wait_until_ready();
    const auto handle = edge_ca_handle();
    pki::CsrWish wish{"edgegateway.local", {"DNS:edgegateway.local", "DNS:edgeHub"}, {"clientAuth"}, false};
    const auto answer = over_socket(Verb::post, "/certificates",
                                    request("aziot-edged/module/edgeHub:1:server", wish, handle));
    ASSERT_EQ(answer.status, 201) << answer.body;
    const auto chain = pki::certificates_from_pem(member(answer, "pem"), "answer");
    ASSERT_TRUE(chain);
    ASSERT_EQ(chain->size(), 2U);
    EXPECT_EQ(chain->front().extended_key_usage(), std::vector<std::string>{"serverAuth"});
    EXPECT_EQ(chain->front().subject_alternative_names(),
              (std::vector<std::string>{"DNS:edgegateway.local", "DNS:edgeHub"}));
    EXPECT_EQ(chain->front().issuer(), chain->back().subject());
    const auto lifetime = chain->front().not_after() - base::system_clock().now();
    EXPECT_LE(lifetime, std::chrono::days(30));
    EXPECT_GT(lifetime, std::chrono::days(29));
    EXPECT_EQ(member(call(Verb::get, "/certificates/aziot-edged%2Fmodule%2FedgeHub:1:server"), "pem"),
              member(answer, "pem"));
    EXPECT_TRUE(appears(file("aziot-edged/module/edgeHub:1:server")));
}

TEST_F(Certificates, NobodyGetsACaButUnderTheEdgeCasIds) {
    device_.wait_until_ready();
    const pki::CsrWish wish{"mallory", {"DNS:mallory"}, {}, true};
    const auto answer =
        call(Verb::post, "/certificates", request("aziot-edged/module/m:1:server", wish, edge_ca_handle()));
    EXPECT_EQ(answer.status, 400);
    EXPECT_NE(message(answer).find("CA:TRUE"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(file("aziot-edged/module/m:1:server")));
    EXPECT_EQ(call(Verb::post, "/certificates", request("aziot-edged-ca-temp", wish)).status,
              500);  // has no key yet
}

TEST_F(Certificates, BadRequestsHaveTheirStatus) {
    device_.wait_until_ready();
    const pki::CsrWish wish{"m", {"DNS:m"}, {}, false};
    const auto id = std::string("aziot-edged/module/m:1:server");
    EXPECT_EQ(call(Verb::post, "/certificates", R"({"certId":"x","csr":"nonsense"})").status, 400);
    EXPECT_EQ(call(Verb::post, "/certificates", R"({"certId":"x"})").status, 422);
    EXPECT_EQ(call(Verb::post, "/certificates", R"({"csr":"x"})").status, 422);
    EXPECT_EQ(message(call(Verb::post, "/certificates")), "missing request body");
    for (const auto& issuer :
         {value(7), value{{"certId", "aziot-edged-ca"}}, value{{"privateKeyHandle", "x"}}}) {
        auto body = edge::parse_json(request(id, wish), "x")->as_object();
        body["issuer"] = issuer;
        EXPECT_EQ(call(Verb::post, "/certificates", serialize(body)).status, 422);
    }
    EXPECT_EQ(call(Verb::put, "/certificates/x", "{}").status, 422);
    EXPECT_EQ(call(Verb::post, "/certificates/x", "{}").status, 400);
    EXPECT_EQ(call(Verb::get, "/certificates").status, 400);
    EXPECT_EQ(call(Verb::get, "/certificates/").status, 404);
    EXPECT_EQ(call(Verb::get, "/certificate/x").status, 404);
    EXPECT_EQ(call(Verb::post, "/certificates", request(id, wish, "sr=x&sig=y")).status, 400);
    EXPECT_EQ(call(Verb::post, "/certificates", request(id, wish)).status, 500);  // no issuance of its own
    auto other = edge::parse_json(request(id, wish, edge_ca_handle()), "x")->as_object();
    other["issuer"].as_object()["certId"] = "absent";
    const auto answer = call(Verb::post, "/certificates", serialize(other));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(message(answer), "parameter \"issuer.certId\" has an invalid value\ncaused by: not found");
}

/// Requests of other programs, made with openssl req: what they ask for is refused with the reason.
TEST_F(Certificates, RequestsThatMayNotBeFollowedAreRefusedWithTheReason) {
    device_.wait_until_ready();
    struct Case {
        std::string file, words;
    };
    const std::vector<Case> cases{{"ed25519", "ED25519"},
                                  {"rsa-1024", "1024"},
                                  {"secp256k1", "secp256k1"},
                                  {"sha1", "sha1"},
                                  {"key-cert-sign", "to sign certificates"},
                                  {"bad-name", "name"},
                                  {"no-name", "common name"},
                                  {"other-signature", "signature"}};
    const auto handle = edge_ca_handle();
    const std::string id = "aziot-edged/module/m:1:server";
    for (const auto& each : cases) {
        SCOPED_TRACE(each.file);
        const auto csr =
            base::read_file(std::filesystem::path(TEST_DATA) / "requests" / (each.file + ".csr"), "request");
        ASSERT_TRUE(csr) << csr.error().text();
        const auto answer =
            call(Verb::post, "/certificates",
                 serialize(value{{"certId", id},
                                 {"csr", *csr},
                                 {"issuer", {{"certId", "aziot-edged-ca"}, {"privateKeyHandle", handle}}}}));
        EXPECT_EQ(answer.status, 400) << answer.body;
        EXPECT_TRUE(message(answer).starts_with("parameter \"csr\" has an invalid value\ncaused by: "))
            << answer.body;
        EXPECT_NE(message(answer).find(each.words), std::string::npos) << answer.body;
        EXPECT_FALSE(std::filesystem::exists(file(id)));
    }
}

TEST_F(Certificates, AnIssuerKeyThatIsNotTheIssuersMakesNoCertificate) {
    device_.wait_until_ready();
    const auto other =
        member(ask(device_.socket(edge::Service::keys), Verb::post, "/keypair", R"({"keyId":"other"})"),
               "keyHandle");
    const std::string id = "aziot-edged/module/m:1:server";
    const pki::CsrWish wish{"m", {"DNS:m"}, {}, false};
    const auto answer = call(Verb::post, "/certificates", request(id, wish, other));
    EXPECT_EQ(answer.status, 500);
    EXPECT_NE(message(answer).find("does not belong to the key that would sign"), std::string::npos)
        << answer.body;
    EXPECT_FALSE(std::filesystem::exists(file(id)));
}

TEST_F(Certificates, TwoWhoCreateTheSameIdAtOnceLeaveOneWholeChain) {
    device_.wait_until_ready();
    const auto handle = edge_ca_handle();
    const std::string id = "aziot-edged/module/m:1:server";
    std::vector<std::future<http::Response>> answers;
    for (int i = 0; i < 6; ++i)
        answers.push_back(std::async(std::launch::async, [&, i] {
            const pki::CsrWish wish{"m" + std::to_string(i), {"DNS:m"}, {}, false};
            return over_socket(Verb::post, "/certificates", request(id, wish, handle));
        }));
    std::set<std::string> made;
    for (auto& each : answers) {
        const auto answer = each.get();
        ASSERT_EQ(answer.status, 201) << answer.body;
        made.insert(member(answer, "pem"));
    }
    EXPECT_EQ(made.size(), answers.size());
    EXPECT_TRUE(
        made.contains(member(call(Verb::get, "/certificates/aziot-edged%2Fmodule%2Fm:1:server"), "pem")));
}

TEST_F(Certificates, ADamagedFileIsToldThenPutAsideAtTheNextStartAndMadeAgain) {
    device_.wait_until_ready();
    const auto ca = file("aziot-edged-ca");
    for (const std::string damage : {"", "-----BEGIN CERTIFICATE-----\nMIIB"}) {
        ASSERT_TRUE(base::write_atomically(ca, damage, 0644));
        const auto answer = call(Verb::get, "/certificates/aziot-edged-ca");
        EXPECT_EQ(answer.status, 500);
        EXPECT_NE(message(answer).find(ca.string()), std::string::npos) << answer.body;
        EXPECT_NE(message(answer).find("remove it"), std::string::npos) << answer.body;
        device_.stop();
        device_.start();
        device_.wait_until_ready();
        const auto again = call(Verb::get, "/certificates/aziot-edged-ca");
        ASSERT_EQ(again.status, 200) << again.body;
        const auto key = pki::PrivateKey::load((device_.paths().home(edge::Service::keys) / "keys" /
                                                (edge::file_stem("aziot-edged-ca") + ".key"))
                                                   .string(),
                                               "key");
        EXPECT_TRUE(key->matches(pki::Certificate::from_pem(member(again, "pem")).value()));
        EXPECT_EQ(base::read_file(ca.string() + ".damaged", "certificate").value(), damage);
    }
}

TEST_F(Certificates, WhatAnInterruptedWriteLeftIsGoneAfterTheStart) {
    device_.wait_until_ready();
    const auto left = file("x").parent_path() / ".x.cer.77.0.new";
    ASSERT_TRUE(base::write_atomically(left, "half", 0644));
    device_.stop();
    device_.start();
    EXPECT_FALSE(std::filesystem::exists(left));
}

TEST(CertificateStore, AGivenFileThatHoldsAKeyTooIsNotShown) {
    support::TemporaryDirectory directory;
    const auto given = support::make_identity({});
    const auto both = given.certificate.pem() + std::string(given.key.pem()->text());
    ASSERT_TRUE(base::write_atomically(directory / "both.pem", both, 0600));
    const auto store = edge::CertificateStore::open(
        directory / "certd", {{"both", "file://" + (directory / "both.pem").string()}});
    const auto answer = store->read("both");
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().text().find("holds a private key"), std::string::npos);
    EXPECT_EQ(base::read_file(directory / "both.pem", "file").value(), both);
}

TEST(CertificateStore, ARecordIsReadAtOnceAndKeptWhenTheStoreEnds) {
    support::TemporaryDirectory directory;
    const pki::Chain first{support::make_identity({}).certificate},
        second{support::make_identity({}).certificate};
    {
        auto store = edge::CertificateStore::open(directory / "certd", {});
        for (int i = 0; i < 20; ++i) {
            ASSERT_TRUE(store->write_later("m", first));
            EXPECT_EQ(store->read("m").value(), pki::to_pem(first));
            ASSERT_TRUE(store->write_later("m", second));
            EXPECT_EQ(store->chain("m").value(), second);
        }
        ASSERT_TRUE(store->write_later("gone", first));
        ASSERT_TRUE(store->remove("gone"));
        ASSERT_TRUE(store->write_later("written", first));
        ASSERT_TRUE(store->write("written", second));
    }
    const auto again = edge::CertificateStore::open(directory / "certd", {});
    EXPECT_EQ(again->read("m").value(), pki::to_pem(second));
    EXPECT_EQ(again->read("written").value(), pki::to_pem(second));
    EXPECT_EQ(again->read("gone").error().code, base::Code::not_found);
}

TEST(CertificateStore, AGivenFileIsReadAndReplacedWhereItLies) {
    support::TemporaryDirectory directory;
    const auto first = support::make_identity({}), second = support::make_identity({});
    const auto file = directory / "given.pem";
    ASSERT_TRUE(base::write_atomically(file, "# ours\n" + first.certificate.pem(), 0644));
    auto store = edge::CertificateStore::open(
        directory / "certd",
        {{"given", "file://" + file.string()}, {"both", std::vector<std::string>{"given", "x"}}});
    EXPECT_EQ(store->chain("given").value(), pki::Chain{first.certificate});
    ASSERT_TRUE(store->write("given", {second.certificate}));
    EXPECT_EQ(base::read_file(file, "file").value(), second.certificate.pem());
    EXPECT_EQ(store->read("both").value(), second.certificate.pem());
    EXPECT_TRUE(std::filesystem::is_empty(directory / "certd/certs"));
    ASSERT_TRUE(store->remove("given"));
    EXPECT_EQ(store->read("given").error().code, base::Code::not_found);
}

TEST(CertificateStore, AListThatContainsItselfEnds) {
    support::TemporaryDirectory directory;
    using List = std::vector<std::string>;
    const auto store = edge::CertificateStore::open(
        directory / "certd", {{"a", List{"b"}}, {"b", List{"a", "absent"}}, {"none", List{"absent"}}});
    EXPECT_NE(store->read("a").error().text().find("contains itself"), std::string::npos);
    EXPECT_EQ(store->read("none").error().code, base::Code::not_found);
}

TEST_F(Certificates, ImportTakesOnlyCertificates) {
    const auto given = support::make_identity({});
    const auto body = serialize(value{{"pem", given.certificate.pem()}});
    EXPECT_EQ(call(Verb::put, "/certificates/mine", body).status, 201);
    EXPECT_EQ(member(call(Verb::get, "/certificates/mine"), "pem"), given.certificate.pem());
    EXPECT_EQ(call(Verb::put, "/certificates/mine", R"({"pem":"nonsense"})").status, 400);
    for (const auto& pem : {std::string(given.key.pem()->text()),
                            given.certificate.pem() + std::string(given.key.pem()->text()), std::string()})
        EXPECT_EQ(call(Verb::put, "/certificates/mine", serialize(value{{"pem", pem}})).status, 400);
    EXPECT_EQ(member(call(Verb::get, "/certificates/mine"), "pem"), given.certificate.pem());
    EXPECT_EQ(call(Verb::put, "/certificates/mine").status, 422);
    EXPECT_EQ(call(Verb::delete_, "/certificates/mine").status, 204);
    EXPECT_EQ(call(Verb::delete_, "/certificates/mine").status, 204);
    const auto absent = call(Verb::get, "/certificates/mine");
    EXPECT_EQ(absent.status, 400);
    EXPECT_EQ(message(absent), "parameter \"id\" has an invalid value\ncaused by: not found");
}

TEST_F(Certificates, ReadingIsOpenAndWritingIsNot) {
    device_.wait_until_ready();
    const auto body = serialize(value{{"pem", support::make_identity({}).certificate.pem()}});
    EXPECT_EQ(call(Verb::get, "/certificates/aziot-edged-ca", {}, 4242).status, 200);
    const auto answer = call(Verb::put, "/certificates/aziot-edged-ca", body, 4242);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(message(answer), "user 4242 is not authorized to modify the cert aziot-edged-ca");
    EXPECT_EQ(call(Verb::delete_, "/certificates/aziot-edged-ca", {}, 4242).status, 401);
}

TEST_F(Certificates, AListIsTheJoinOfWhatExists) {
    device_.wait_until_ready();
    // aziot-edged-trust-bundle = ["aziot-edged-ca"]; a percent-encoded id is the same id.
    const auto bundle = member(over_socket(Verb::get, "/certificates/aziot%2Dedged-trust-bundle"), "pem");
    EXPECT_EQ(bundle, member(call(Verb::get, "/certificates/aziot-edged-ca"), "pem"));
    const auto body = serialize(value{{"pem", bundle}});
    EXPECT_EQ(call(Verb::put, "/certificates/aziot-edged-trust-bundle", body).status, 500);
}

}  // namespace
