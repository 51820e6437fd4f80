// SPDX-License-Identifier: Apache-2.0
#include "pki/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/rsa.h>

#include "deciding.hpp"
#include "pki/checks.hpp"

namespace {

using deciding::Accepts;
using deciding::decide;
using deciding::RefusesFor;
using deciding::subjects;
using testing::ElementsAre;
using testing::HasSubstr;
namespace checks = pki::checks;

struct Verify : testing::Test {
    forge::Signed root = forge::make(forge::ca("root"));
    forge::Signed intermediate = forge::make(forge::ca("intermediate"), &root);
    forge::Signed leaf = forge::make(forge::leaf("TempSensor", "DNS:sensor.local"), &intermediate);
};

TEST_F(Verify, AcceptsALeafBelowAnIntermediateAndARoot) {
    const auto result =
        decide({.chain = {leaf.certificate, intermediate.certificate}, .anchors = {root.certificate}});
    EXPECT_THAT(result, Accepts());
    EXPECT_THAT(subjects(result.path), ElementsAre("TempSensor", "intermediate", "root"));
}

TEST_F(Verify, RefusesAPeerWithoutACertificate) {
    EXPECT_THAT(decide({.chain = {}, .anchors = {root.certificate}}), RefusesFor(checks::leaf_present, -1));
}

TEST_F(Verify, FindsIssuersThatThePeerDidNotSend) {
    EXPECT_THAT(decide({.chain = {leaf.certificate},
                        .anchors = {root.certificate},
                        .intermediates = {intermediate.certificate}}),
                Accepts());
}

TEST_F(Verify, TakesTheChainInAnyOrderAndWithStrangersInIt) {
    const auto stranger = forge::make(forge::ca("stranger"));
    EXPECT_THAT(
        decide({.chain = {leaf.certificate, stranger.certificate, root.certificate, intermediate.certificate},
                .anchors = {root.certificate}}),
        Accepts());
}

TEST_F(Verify, EndsAtAnIntermediateOfTheBundle) {
    const auto result = decide({.chain = {leaf.certificate}, .anchors = {intermediate.certificate}});
    EXPECT_THAT(result, Accepts());
    EXPECT_THAT(subjects(result.path), ElementsAre("TempSensor", "intermediate"));
}

TEST_F(Verify, AcceptsALeafThatIsItselfInTheBundleAndStillLooksAtIt) {
    EXPECT_THAT(decide({.chain = {leaf.certificate}, .anchors = {leaf.certificate}}), Accepts());
    EXPECT_THAT(decide({.chain = {leaf.certificate},
                        .anchors = {leaf.certificate},
                        .now = forge::now() + std::chrono::days(31)}),
                RefusesFor(checks::leaf_validity, 0));
}

TEST_F(Verify, SaysWhichIssuerIsMissing) {
    const auto result = decide({.chain = {leaf.certificate}, .anchors = {root.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::path_issuer, 1));
    EXPECT_THAT(result.verdict.first_failure()->expected, HasSubstr("CN=intermediate"));
    EXPECT_EQ(result.verdict.steps.back().check, checks::path_anchor);
    EXPECT_EQ(result.verdict.steps.back().outcome, pki::Outcome::skipped);
}

TEST_F(Verify, SaysThatARootWhichWasSentIsNotInTheBundle) {
    const auto other = forge::make(forge::ca("other root"));
    const auto result = decide({.chain = {leaf.certificate, intermediate.certificate, root.certificate},
                                .anchors = {other.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::path_anchor, 2));
    EXPECT_THAT(result.verdict.first_failure()->found, HasSubstr("CN=root"));
}

TEST_F(Verify, SaysThatTheBundleIsEmpty) {
    const auto result = decide({.chain = {root.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::path_anchor, 0));
    EXPECT_THAT(result.verdict.first_failure()->expected, HasSubstr("empty"));
}

TEST_F(Verify, LooksAtTheDatesOfEveryCertificate) {
    auto wish = forge::ca("intermediate");
    wish.to = std::chrono::hours(-1);
    const auto expired = forge::make(wish, &root);
    const auto below = forge::make(forge::leaf("TempSensor"), &expired);
    const auto result =
        decide({.chain = {below.certificate, expired.certificate}, .anchors = {root.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::path_validity, 1));
    EXPECT_THAT(result.verdict.first_failure()->found, HasSubstr("expired 1 hour"));

    wish = forge::ca("old root");
    wish.to = std::chrono::hours(-1);
    const auto old_root = forge::make(wish);
    const auto under_old = forge::make(forge::leaf("TempSensor"), &old_root);
    EXPECT_THAT(decide({.chain = {under_old.certificate}, .anchors = {old_root.certificate}}),
                RefusesFor(checks::path_validity, 1));
}

TEST_F(Verify, RefusesAnIssuerThatIsNoCa) {
    const auto child = forge::make(forge::leaf("child"), &leaf);
    const auto result = decide({.chain = {child.certificate, leaf.certificate, intermediate.certificate},
                                .anchors = {root.certificate}});
    EXPECT_FALSE(result.verdict.accepted());
    EXPECT_EQ(result.verdict.first_failure()->check, checks::path_basic_constraints);
}

TEST_F(Verify, RefusesACaBelowOneWithPathLengthZero) {
    auto wish = forge::ca("edge ca");
    wish.extensions[0].second = "critical,CA:TRUE,pathlen:0";
    const auto edge_ca = forge::make(wish, &root);
    const auto below = forge::make(forge::ca("below"), &edge_ca);
    const auto end = forge::make(forge::leaf("end"), &below);
    EXPECT_THAT(decide({.chain = {end.certificate, below.certificate, edge_ca.certificate},
                        .anchors = {root.certificate}}),
                RefusesFor(checks::path_length, 2));
}

TEST_F(Verify, AsksTheLeafForItsPurpose) {
    const auto device = forge::make(forge::leaf("device", "", {{"extendedKeyUsage", "clientAuth"}}), &root);
    EXPECT_THAT(
        decide(
            {.chain = {device.certificate}, .anchors = {root.certificate}, .purpose = pki::Purpose::client}),
        Accepts());
    EXPECT_THAT(
        decide(
            {.chain = {device.certificate}, .anchors = {root.certificate}, .purpose = pki::Purpose::server}),
        RefusesFor(checks::leaf_extended_key_usage, 0));
    EXPECT_THAT(decide({.chain = {device.certificate}, .anchors = {root.certificate}}), Accepts());
}

TEST_F(Verify, DoesNotTakeAnyExtendedKeyUsageOfALeafForItsOwn) {
    const auto device =
        forge::make(forge::leaf("device", "", {{"extendedKeyUsage", "anyExtendedKeyUsage"}}), &root);
    EXPECT_THAT(
        decide(
            {.chain = {device.certificate}, .anchors = {root.certificate}, .purpose = pki::Purpose::client}),
        RefusesFor(checks::leaf_extended_key_usage, 0));
}

TEST_F(Verify, LetsAnIntermediatesExtendedKeyUsageRestrictWhatIsBelow) {
    const auto servers_only =
        forge::make(forge::ca("servers only", {{"extendedKeyUsage", "serverAuth"}}), &root);
    const auto end = forge::make(forge::leaf("end"), &servers_only);
    const pki::Chain chain{end.certificate, servers_only.certificate};
    EXPECT_THAT(decide({.chain = chain, .anchors = {root.certificate}, .purpose = pki::Purpose::server}),
                Accepts());
    EXPECT_THAT(decide({.chain = chain, .anchors = {root.certificate}, .purpose = pki::Purpose::client}),
                RefusesFor(checks::path_extended_key_usage, 1));
}

TEST_F(Verify, RefusesACriticalExtensionThatItDoesNotProcess) {
    const auto strange =
        forge::make(forge::leaf("strange", "", {{"1.3.6.1.4.1.55738.1", "critical,DER:0500"}}), &root);
    const auto result = decide({.chain = {strange.certificate}, .anchors = {root.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::leaf_critical_extensions, 0));
    EXPECT_EQ(result.verdict.first_failure()->found, "1.3.6.1.4.1.55738.1");
}

TEST_F(Verify, RefusesWeakKeys) {
    const auto rsa = pki::PrivateKey::adopt(EVP_RSA_gen(1024));
    auto wish = forge::leaf("weak");
    wish.key = &rsa;
    const auto weak = forge::make(wish, &root);
    const auto result = decide({.chain = {weak.certificate}, .anchors = {root.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::leaf_key_strength, 0));
    EXPECT_EQ(result.verdict.first_failure()->found, "RSA 1024");
}

TEST_F(Verify, RefusesASha1SignatureButNotTheAnchorsOwn) {
    auto wish = forge::leaf("old");
    wish.digest = EVP_sha1();
    const auto old = forge::make(wish, &root);
    EXPECT_THAT(decide({.chain = {old.certificate}, .anchors = {root.certificate}}),
                RefusesFor(checks::path_signature_algorithm, 0));

    wish = forge::ca("old root");
    wish.digest = EVP_sha1();
    const auto old_root = forge::make(wish);
    const auto end = forge::make(forge::leaf("end"), &old_root);
    EXPECT_THAT(decide({.chain = {end.certificate}, .anchors = {old_root.certificate}}), Accepts());
}

TEST_F(Verify, RefusesASignatureOfAnotherKey) {
    const auto impostor = forge::make(forge::ca("root"));
    const auto result =
        decide({.chain = {leaf.certificate, intermediate.certificate}, .anchors = {impostor.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::path_signature, 1));
}

TEST_F(Verify, TellsAboutThePathEvenWhereTheLeafFails) {
    const auto result = decide({.chain = {leaf.certificate, intermediate.certificate},
                                .anchors = {root.certificate},
                                .host = "other.local"});
    EXPECT_THAT(result, RefusesFor(checks::leaf_san, 0));
    EXPECT_EQ(result.verdict.first_failure()->expected, "dNSName other.local");
    EXPECT_EQ(result.verdict.first_failure()->found, "DNS:sensor.local");
    EXPECT_EQ(result.verdict.steps.back().check, checks::path_anchor);
    EXPECT_EQ(result.verdict.steps.back().outcome, pki::Outcome::passed);
}

TEST_F(Verify, AppliesConstraintsToTheCommonNameThatStandsForADnsName) {
    const auto limited =
        forge::make(forge::ca("limited", {{"nameConstraints", "critical,permitted;DNS:contoso.com"}}));
    const auto inside = forge::make(forge::leaf("hub.contoso.com"), &limited);
    const auto outside = forge::make(forge::leaf("hub.fabrikam.com"), &limited);
    EXPECT_THAT(
        decide({.chain = {inside.certificate}, .anchors = {limited.certificate}, .host = "hub.contoso.com"}),
        Accepts());
    EXPECT_THAT(
        decide(
            {.chain = {outside.certificate}, .anchors = {limited.certificate}, .host = "hub.fabrikam.com"}),
        RefusesFor(checks::path_name_constraints, 1));
}

TEST_F(Verify, KeepsControlCharactersOutOfTheSteps) {
    const auto nasty = forge::make(forge::leaf("evil\nline\x1b[31m", "DNS:a b.local"), &root);
    const auto result =
        decide({.chain = {nasty.certificate}, .anchors = {root.certificate}, .host = "b.local"});
    for (const auto& step : result.verdict.steps)
        for (const char c : step.expected + step.found) EXPECT_TRUE(c >= ' ' || c < 0) << step.check;
}

}  // namespace
