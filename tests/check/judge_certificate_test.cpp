// SPDX-License-Identifier: Apache-2.0
#include "check/judge_certificate.hpp"

#include <gmock/gmock.h>

#include "support/certificates.hpp"

namespace check {
namespace {

using std::chrono::days;
using std::chrono::hours;
using support::make_identity;
using support::test_time;
using testing::HasSubstr;

struct JudgeCertificate : testing::Test {
    support::TestPki pki;
    support::Identity edge_ca =
        make_identity({.profile = pki::Profile::edge_ca, .common_name = "iotedged workload ca edgegateway"},
                      &pki.intermediate);
    support::Identity device = make_identity({.lifetime = days(90)}, &pki.intermediate);
    pki::Chain chain{edge_ca.certificate, pki.intermediate.certificate, pki.root.certificate};
    pki::TrustBundle roots{{pki.root.certificate}};

    Outcome validity_at(base::Instant now) {
        return judge_validity("device certificate", {device.certificate}, now, "renew it").outcome;
    }
};

TEST_F(JudgeCertificate, WarnsAWeekBeforeTheEndAndIsAnErrorBehindIt) {
    const auto begin = device.certificate.not_before();
    const auto end = device.certificate.not_after();
    EXPECT_EQ(validity_at(begin - std::chrono::seconds(1)), Outcome::error);
    EXPECT_EQ(validity_at(begin), Outcome::ok);
    EXPECT_EQ(validity_at(end - days(7)), Outcome::ok);
    EXPECT_EQ(validity_at(end - days(7) + std::chrono::seconds(1)), Outcome::warning);
    EXPECT_EQ(validity_at(end - std::chrono::seconds(1)), Outcome::warning);
    EXPECT_EQ(validity_at(end), Outcome::error);
}

TEST_F(JudgeCertificate, DoesNotWarnForMostOfAShortLife) {
    const auto brief = make_identity({.lifetime = hours(24)});
    const auto at = [&](base::Instant now) {
        return judge_validity("it", {brief.certificate}, now, "renew it").outcome;
    };
    EXPECT_EQ(at(brief.certificate.not_after() - hours(3)), Outcome::ok);
    EXPECT_EQ(at(brief.certificate.not_after() - hours(2)), Outcome::warning);
}

TEST_F(JudgeCertificate, LooksAtTheDatesOfIssuersToo) {
    const auto old =
        make_identity({.profile = pki::Profile::root, .common_name = "old", .lifetime = days(30)});
    const auto found = judge_validity("Edge CA certificate", {edge_ca.certificate, old.certificate},
                                      test_time() + days(31), "x");
    EXPECT_EQ(found.outcome, Outcome::error);
    EXPECT_THAT(found.reason, HasSubstr("certificate 2 (old) expired"));
    EXPECT_FALSE(found.fix.empty());
}

TEST_F(JudgeCertificate, TellsALateRenewalFromADueOne) {
    const Schedule schedule{test_time() + days(10), test_time() + days(12)};
    const auto at = [&](base::Instant now) {
        return judge_schedule("it", device.certificate, schedule, now).outcome;
    };
    EXPECT_EQ(at(test_time() + days(11)), Outcome::ok);
    EXPECT_EQ(at(test_time() + days(12)), Outcome::warning);
    EXPECT_EQ(at(device.certificate.not_after()), Outcome::error);
}

TEST_F(JudgeCertificate, AcceptsAChainInOrderAndASingleCertificate) {
    EXPECT_EQ(judge_order("it", chain).outcome, Outcome::ok);
    EXPECT_EQ(judge_order("it", {device.certificate}).outcome, Outcome::ok);
}

TEST_F(JudgeCertificate, NamesTheIssuerThatStandsInTheWrongPlace) {
    const auto found =
        judge_order("it", {edge_ca.certificate, pki.root.certificate, pki.intermediate.certificate});
    EXPECT_EQ(found.outcome, Outcome::error);
    EXPECT_THAT(found.reason, HasSubstr("certificate 1"));
    EXPECT_THAT(found.fix, HasSubstr("CN=my_optional_intermediate_CA"));
    EXPECT_THAT(found.fix, HasSubstr("in order"));
}

TEST_F(JudgeCertificate, NamesACertificateThatDoesNotBelong) {
    const auto found = judge_order("it", {edge_ca.certificate, pki.root.certificate});
    EXPECT_EQ(found.outcome, Outcome::error);
    EXPECT_THAT(found.fix, HasSubstr("take CN=my_private_root_CA out"));
}

TEST_F(JudgeCertificate, KnowsAPair) {
    EXPECT_EQ(judge_pair("it", device.certificate, device.key.public_key()).outcome, Outcome::ok);
    const auto found = judge_pair("it", device.certificate, edge_ca.key.public_key());
    EXPECT_EQ(found.outcome, Outcome::error);
    EXPECT_FALSE(found.fix.empty());
}

TEST_F(JudgeCertificate, WarnsAboutKeysThatFewTake) {
    const auto kind = [](pki::KeyType type) {
        return judge_key("it", pki::PrivateKey::generate(type)->public_key()).outcome;
    };
    EXPECT_EQ(kind(pki::KeyType::ec_p256), Outcome::ok);
    EXPECT_EQ(kind(pki::KeyType::rsa_2048), Outcome::ok);
    EXPECT_EQ(kind(pki::KeyType::ec_p384), Outcome::warning);
}

TEST_F(JudgeCertificate, WantsACaForAnEdgeCa) {
    EXPECT_EQ(judge_is_ca("it", edge_ca.certificate).outcome, Outcome::ok);
    EXPECT_EQ(judge_is_ca("it", device.certificate).outcome, Outcome::error);
}

TEST_F(JudgeCertificate, FindsTheOwnRootInTheBundle) {
    EXPECT_EQ(judge_own_root(chain, roots, test_time()).outcome, Outcome::ok);
    const auto other = make_identity({.profile = pki::Profile::root, .common_name = "other"});
    const auto found = judge_own_root(chain, pki::TrustBundle({other.certificate}), test_time());
    EXPECT_EQ(found.outcome, Outcome::error);
    EXPECT_THAT(found.fix, HasSubstr("CN=my_private_root_CA"));
    EXPECT_EQ(judge_own_root(chain, {}, test_time()).outcome, Outcome::error);
}

TEST_F(JudgeCertificate, DoesNotBlameTheBundleForAnExpiredEdgeCa) {
    EXPECT_EQ(judge_own_root(chain, roots, edge_ca.certificate.not_after() + days(1)).outcome, Outcome::ok);
}

TEST_F(JudgeCertificate, TrustsAQuickstartCaThatIsItsOwnRoot) {
    const auto quickstart = make_identity({.profile = pki::Profile::edge_ca, .common_name = "quickstart"});
    const pki::Chain own{quickstart.certificate};
    const pki::TrustBundle bundle{{quickstart.certificate}};
    EXPECT_EQ(judge_own_root(own, bundle, test_time()).outcome, Outcome::ok);
    EXPECT_EQ(judge_trust("it", {.chain = own, .trust = bundle, .now = test_time()}, "x").outcome,
              Outcome::ok);
}

TEST_F(JudgeCertificate, GivesTheAdviceOfTheStepThatFailed) {
    const pki::Chain alone{edge_ca.certificate};
    const auto found = judge_trust("Edge CA", {.chain = alone, .trust = roots, .now = test_time()}, "x");
    EXPECT_EQ(found.outcome, Outcome::error);
    EXPECT_THAT(found.reason, HasSubstr("path.issuer"));
    EXPECT_THAT(found.fix, HasSubstr("intermediates"));
}

}  // namespace
}  // namespace check
