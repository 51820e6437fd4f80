// SPDX-License-Identifier: Apache-2.0
#include "edge/given_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>

#include "base/file.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace {

using support::Identity;
using support::make_identity;

/// A root, an intermediate, an Edge CA and a device certificate as files, and a configuration that names
/// them.
class GivenFiles : public testing::Test {
  protected:
    GivenFiles() {
        put("root.pem", {&pki_.root});
        put("edge-ca.pem", {&edge_ca_, &pki_.intermediate});
        put_key("edge-ca.key", edge_ca_);
        put("device.pem", {&device_, &pki_.intermediate});
        put_key("device.key", device_);
        configuration_.trust_bundle = uri("root.pem");
        configuration_.edge_ca.certificate = uri("edge-ca.pem");
        configuration_.edge_ca.key = uri("edge-ca.key");
        edge::X509Credential credential{uri("device.pem"), uri("device.key")};
        configuration_.device = edge::Device{{}, "EdgeGateway", credential};
    }

    edge::Uri uri(const std::string& name) const { return "file://" + (directory_ / name).string(); }
    void put(const std::string& name, std::vector<const Identity*> chain) {
        pki::Chain certificates;
        for (const auto* each : chain) certificates.push_back(each->certificate);
        put_text(name, pki::to_pem(certificates), 0644);
    }
    void put_key(const std::string& name, const Identity& of, mode_t mode = 0600) {
        put_text(name, std::string(of.key.pem()->text()), mode);
    }
    void put_text(const std::string& name, const std::string& text, mode_t mode) {
        ASSERT_TRUE(base::write_atomically(directory_ / name, text, mode));
    }
    edge::Findings look(base::Instant now = support::test_time()) {
        auto found = edge::look_at_files(configuration_);
        found.add(edge::look_at_chains(configuration_, now));
        return found;
    }
    std::string only_problem() {
        const auto found = look();
        if (found.problems.size() != 1) return std::to_string(found.problems.size()) + " problems";
        return found.problems.front().text();
    }

    support::TemporaryDirectory directory_;
    support::TestPki pki_;
    Identity edge_ca_ =
        make_identity({.profile = pki::Profile::edge_ca, .common_name = "iotedged workload ca edgegateway"},
                      &pki_.intermediate);
    Identity device_ = make_identity({.common_name = "EdgeGateway"}, &pki_.intermediate);
    edge::Configuration configuration_;
};

TEST_F(GivenFiles, OfACompleteChainAreGood) {
    const auto found = look();
    EXPECT_TRUE(found.problems.empty()) << found.problems.front().text();
    EXPECT_TRUE(found.warnings.empty()) << found.warnings.front().text();
    EXPECT_TRUE(edge::check_given_files(configuration_));
}

TEST_F(GivenFiles, ChainWithoutItsIntermediateIsNotComplete) {
    put("edge-ca.pem", {&edge_ca_});
    const auto said = only_problem();
    EXPECT_NE(said.find("has no complete chain"), std::string::npos) << said;
    EXPECT_NE(said.find("CN=my_optional_intermediate_CA"), std::string::npos) << said;
    EXPECT_TRUE(edge::check_given_files(configuration_)) << "a start is not kept from it";
}

TEST_F(GivenFiles, ChainWithoutItsRootIsNotComplete) {
    configuration_.trust_bundle.reset();
    const auto found = look();
    ASSERT_EQ(found.problems.size(), 1U);
    EXPECT_NE(found.problems[0].text().find("CN=my_private_root_CA"), std::string::npos);
    ASSERT_EQ(found.warnings.size(), 1U) << "the hub judges the device by anchors of its own";
    EXPECT_NE(found.warnings[0].thing.find("device certificate"), std::string::npos);
    // The root in the Edge CA's own file is in the trust bundle that modules get.
    put("edge-ca.pem", {&edge_ca_, &pki_.intermediate, &pki_.root});
    EXPECT_TRUE(look().problems.empty());
}

TEST_F(GivenFiles, IssuerOfTheSameNameAndAnotherKeyIsFoundOut) {
    const auto other = make_identity(
        {.profile = pki::Profile::intermediate, .common_name = "my_optional_intermediate_CA"}, &pki_.root);
    put("edge-ca.pem", {&edge_ca_, &other});
    const auto said = only_problem();
    EXPECT_NE(said.find("has a chain that does not hold: path.signature failed"), std::string::npos) << said;
}

TEST_F(GivenFiles, EdgeCaThatIsNoCaIsRefused) {
    put("edge-ca.pem", {&device_, &pki_.intermediate});
    put_key("edge-ca.key", device_);
    EXPECT_NE(only_problem().find("is not one of a CA"), std::string::npos);
}

TEST_F(GivenFiles, DatesAreWarningsSinceADeviceMustComeBack) {
    const auto late = look(support::test_time() + std::chrono::days(400));
    EXPECT_TRUE(late.problems.empty()) << late.problems.front().text();
    ASSERT_GE(late.warnings.size(), 2U);
    EXPECT_NE(late.warnings[0].text().find("has expired"), std::string::npos) << late.warnings[0].text();
    const auto early = look(base::Instant{});
    EXPECT_TRUE(early.problems.empty()) << early.problems.front().text();
    ASSERT_FALSE(early.warnings.empty());
    EXPECT_NE(early.warnings[0].text().find("is not valid yet"), std::string::npos);
}

TEST_F(GivenFiles, EachFaultOfAFileIsToldWithItsReason) {
    struct Case {
        std::function<void()> spoil;
        const char* said;
    };
    const std::vector<Case> cases{
        {[&] { put_key("device.key", edge_ca_); }, "does not belong to the first certificate of"},
        {[&] { put_key("device.key", device_, 0640); }, "may be used by others than its owner (mode 0640)"},
        {[&] { put_text("device.key", "no key", 0600); }, "device key"},
        {[&] { put_text("device.pem", "no certificate", 0644); }, "device certificate"},
        {[&] { std::filesystem::remove(directory_ / "edge-ca.key"); }, "No such file"},
        {[&] {
             put_text("root.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0644);
         },
         "trust bundle"},
    };
    for (const auto& each : cases) {
        put_key("device.key", device_);
        put("device.pem", {&device_, &pki_.intermediate});
        put_key("edge-ca.key", edge_ca_);
        put("root.pem", {&pki_.root});
        each.spoil();
        const auto found = look();
        ASSERT_FALSE(found.problems.empty()) << each.said;
        EXPECT_NE(found.problems[0].text().find(each.said), std::string::npos) << found.problems[0].text();
        EXPECT_FALSE(edge::check_given_files(configuration_)) << each.said;
    }
}

TEST_F(GivenFiles, AllProblemsAreFoundAtOnce) {
    put_key("device.key", device_, 0644);
    put_key("edge-ca.key", device_);
    configuration_.preloaded_keys["mine"] = uri("nowhere.key");
    configuration_.preloaded_certificates["mine"] = uri("nowhere.pem");
    EXPECT_EQ(look().problems.size(), 4U);
}

TEST(Principals, ThatShareAUserAreWarnedOf) {
    edge::Configuration configuration;
    const auto add = [&](std::string name, uid_t uid) {
        edge::Principal principal;
        principal.name = std::move(name);
        principal.uid = uid;
        principal.idtype = {"module"};
        configuration.principals.push_back(principal);
    };
    add("a", 1000);
    add("b", 1001);
    EXPECT_TRUE(edge::look_at_principals(configuration).warnings.empty());
    add("c", 1000);
    const auto found = edge::look_at_principals(configuration);
    ASSERT_EQ(found.warnings.size(), 1U);
    EXPECT_NE(found.warnings[0].text().find("modules a and c share the user 1000"), std::string::npos);
}

}  // namespace
