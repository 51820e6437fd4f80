// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "edge/certificate_follower.hpp"
#include "pki/digest.hpp"
#include "running_device.hpp"

namespace {

using namespace edge_test;
using http::Verb;

/// A module that proves itself by certificate, run by the present user.
class ByCertificate : public testing::Test {
  protected:
    ByCertificate()
        : device_({hub_.port(), hub_.ca_file(),
                   "[[principal]]\nname = \"mod1\"\nuid = " + std::to_string(::geteuid()) +
                       "\nidtype = [\"module\"]\nauth = \"x509\"\n",
                   true}) {
        device_.wait_until_ready();
    }
    http::Response obtain() {
        return ask(device_.module_socket("mod1"), Verb::post, "/modules/mod1/certificate/identity", {},
                   "2020-07-07");
    }
    static std::string thumbprint_of(const http::Response& answer) {
        const auto leaf = pki::Certificate::from_pem(member(answer, "certificate")).value();
        return base::to_hex_upper(leaf.sha256());
    }
    http::Response tell(const std::string& module, const std::string& body) {
        return ask(device_.socket(edge::Service::identity), Verb::post,
                   "/identities/modules/" + module + "/thumbprint", body, "2021-12-01");
    }

    FakeHub hub_;
    RunningDevice device_;
};

TEST_F(ByCertificate, IsRegisteredBeforeItIsHandedOutAndThePreviousOneStaysGood) {
    EXPECT_EQ(hub_.authentication("mod1"), R"({"type":"none"})") << "no key is ever set for it";
    const auto first = obtain();
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(hub_.authentication("mod1"),
              R"({"type":"x509","x509Thumbprint":{"primaryThumbprint":")" + thumbprint_of(first) + R"("}})");
    const auto second = obtain();
    ASSERT_EQ(second.status, 201) << second.body;
    EXPECT_EQ(hub_.authentication("mod1"), R"({"type":"x509","x509Thumbprint":{"primaryThumbprint":")" +
                                               thumbprint_of(second) + R"(","secondaryThumbprint":")" +
                                               thumbprint_of(first) + R"("}})");
}

TEST_F(ByCertificate, IsNotHandedOutWhereTheHubRefusesIt) {
    hub_.refuse("no");
    const auto answer = obtain();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("PRIVATE KEY"), std::string::npos);
    EXPECT_NE(message(answer).find("identity certificate"), std::string::npos) << message(answer);
}

TEST_F(ByCertificate, IsShownSoByTheIdentityServiceAndInTheEnvironment) {
    const auto answer =
        ask(device_.socket(edge::Service::identity), Verb::get, "/identities/modules/mod1?type=aziot");
    const auto auth = edge::object_member(json_of(answer).at("spec"), "auth").value();
    EXPECT_EQ(edge::text_member(auth, "type").value(), "x509");
    EXPECT_EQ(edge::text_member(auth, "certId").value(), "aziot-edged/module/mod1:identity");
    const auto home = device_.paths().home(edge::Service::workload);
    const auto text = base::read_file(home / "env/mod1.env", "environment").value();
    EXPECT_NE(text.find("IOTEDGE_AUTHSCHEME=\"x509\"\n"), std::string::npos) << text;
}

TEST_F(ByCertificate, ThumbprintsAreTakenFromTheWorkloadServiceAloneAndForSuchModulesAlone) {
    const std::string good = R"({"thumbprint":")" + std::string(64, 'A') + R"("})";
    EXPECT_EQ(ask_as(device_.identity().api(), 4242, Verb::post, "/identities/modules/mod1/thumbprint", good,
                     "2021-12-01")
                  .status,
              401);
    EXPECT_EQ(tell("$edgeHub", good).status, 400);
    EXPECT_EQ(tell("mod1", R"({"thumbprint":"AB"})").status, 400);
    EXPECT_EQ(tell("mod1", R"({})").status, 422);
    EXPECT_EQ(tell("mod1", good).status, 204);
}

TEST_F(ByCertificate, ItsEnvironmentFileTellsWhereItsSocketIs) {
    const auto home = device_.paths().home(edge::Service::workload);
    const auto read = edge::read_module_environment(home / "env/edgeHub.env");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->module, "$edgeHub");
    EXPECT_EQ(read->socket, device_.module_socket("$edgeHub"));
    EXPECT_EQ(read->generation, hub_.generation("$edgeHub"));
    EXPECT_EQ(edge::read_module_environment(home / "env/nobody.env").error().code, base::Code::not_found);
    const auto bad = home / "env/bad.env";
    ASSERT_TRUE(base::write_atomically(bad, "IOTEDGE_MODULEID=\"x\"\n", 0644));
    EXPECT_EQ(edge::read_module_environment(bad).error().code, base::Code::malformed);
}

}  // namespace
