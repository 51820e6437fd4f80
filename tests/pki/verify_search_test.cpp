// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deciding.hpp"
#include "pki/budget.hpp"
#include "pki/checks.hpp"

namespace {

using deciding::Accepts;
using deciding::decide;
using deciding::RefusesFor;
using deciding::subjects;
using testing::ElementsAre;
using testing::HasSubstr;
namespace checks = pki::checks;

TEST(VerifySearch, ComesBackFromAnIssuerWithTheRightNameAndAnotherKey) {
    const auto root = forge::make(forge::ca("root"));
    const auto right = forge::make(forge::ca("issuer"), &root);
    const auto wrong = forge::make(forge::ca("issuer"), &root);
    const auto leaf = forge::make(forge::leaf("leaf"), &right);
    EXPECT_THAT(decide({.chain = {leaf.certificate, wrong.certificate, right.certificate},
                        .anchors = {root.certificate}}),
                Accepts());
}

TEST(VerifySearch, ComesBackFromAnExpiredIssuer) {
    const auto root = forge::make(forge::ca("root"));
    const auto issuer = forge::make(forge::ca("issuer"), &root);
    auto wish = forge::ca("issuer");
    wish.key = &issuer.key;
    wish.to = std::chrono::hours(-1);
    const auto expired = forge::make(wish, &root);
    const auto leaf = forge::make(forge::leaf("leaf"), &issuer);
    const auto result = decide({.chain = {leaf.certificate, expired.certificate, issuer.certificate},
                                .anchors = {root.certificate}});
    EXPECT_THAT(result, Accepts());
    EXPECT_EQ(result.path[1], issuer.certificate);
}

TEST(VerifySearch, ComesBackFromTheCrossSignThatLeadsNowhere) {
    const auto unknown = forge::make(forge::ca("unknown root"));
    const auto known = forge::make(forge::ca("known root"));
    const auto by_unknown = forge::make(forge::ca("issuer"), &unknown);
    auto wish = forge::ca("issuer");
    wish.key = &by_unknown.key;
    const auto by_known = forge::make(wish, &known);
    const auto leaf = forge::make(forge::leaf("leaf"), &by_unknown);
    const auto result = decide(
        {.chain = {leaf.certificate, by_unknown.certificate, unknown.certificate, by_known.certificate},
         .anchors = {known.certificate}});
    EXPECT_THAT(result, Accepts());
    EXPECT_THAT(subjects(result.path), ElementsAre("leaf", "issuer", "known root"));
}

TEST(VerifySearch, TriesTheIssuerFirstWhoseKeyIdentifierFits) {
    // 150 namesakes: without the hint the budget of signatures would be gone before the right one.
    const auto root = forge::make(forge::ca("root"));
    const auto right = forge::make(forge::ca("issuer", {{"subjectKeyIdentifier", "hash"}}), &root);
    const auto leaf =
        forge::make(forge::leaf("leaf", "", {{"authorityKeyIdentifier", "keyid:always"}}), &right);
    std::vector<pki::Certificate> pool;
    for (int i = 0; i < 150; ++i)
        pool.push_back(
            forge::make(forge::ca("issuer", {{"subjectKeyIdentifier", "hash"}}), &root).certificate);
    pool.push_back(right.certificate);
    EXPECT_THAT(decide({.chain = {leaf.certificate}, .anchors = {root.certificate}, .intermediates = pool}),
                Accepts());
}

TEST(VerifySearch, IgnoresAWrongKeyIdentifier) {
    const auto root = forge::make(forge::ca("root", {{"subjectKeyIdentifier", "hash"}}));
    auto wish = forge::ca("root", {{"subjectKeyIdentifier", "01:02:03:04"}});
    wish.key = &root.key;
    const auto other_identifier = forge::make(wish);
    const auto leaf =
        forge::make(forge::leaf("leaf", "", {{"authorityKeyIdentifier", "keyid:always"}}), &root);
    EXPECT_THAT(decide({.chain = {leaf.certificate}, .anchors = {other_identifier.certificate}}), Accepts());
}

TEST(VerifySearch, GivesUpOnAHostileBundleOfCrossSignedCas) {
    // Twelve CAs that all signed each other: without a budget, over a billion paths.
    constexpr std::size_t count = 12;
    std::vector<forge::Signed> own;
    for (std::size_t i = 0; i < count; ++i) own.push_back(forge::make(forge::ca("ca " + std::to_string(i))));
    std::vector<pki::Certificate> pool;
    for (std::size_t subject = 0; subject < count; ++subject)
        for (std::size_t signer = 0; signer < count; ++signer) {
            if (subject == signer) continue;
            auto wish = forge::ca("ca " + std::to_string(subject));
            wish.key = &own[subject].key;
            pool.push_back(forge::make(wish, &own[signer]).certificate);
        }
    const auto leaf = forge::make(forge::leaf("leaf"), &own[0]);
    const auto root = forge::make(forge::ca("root"));
    const auto result =
        decide({.chain = {leaf.certificate}, .anchors = {root.certificate}, .intermediates = pool});
    EXPECT_FALSE(result.verdict.accepted());
    const auto& last = result.verdict.steps.back();
    EXPECT_EQ(last.check, checks::path_budget);
    EXPECT_EQ(last.outcome, pki::Outcome::failed);
    EXPECT_THAT(last.expected, HasSubstr("100 signature checks"));
}

TEST(VerifySearch, GivesUpAfterFiveThousandComparisonsOfNames) {
    std::string permitted = "critical";
    std::string names;
    for (int i = 0; i < 80; ++i) {
        permitted += ",permitted;DNS:p" + std::to_string(i) + ".local";
        names += (i ? ",DNS:x.p79.local" : "DNS:x.p79.local");
    }
    const auto root = forge::make(forge::ca("root", {{"nameConstraints", permitted}}));
    const auto leaf = forge::make(forge::leaf("leaf", names), &root);
    const auto result = decide({.chain = {leaf.certificate}, .anchors = {root.certificate}});
    EXPECT_FALSE(result.verdict.accepted());
    EXPECT_EQ(result.verdict.steps.back().check, checks::path_budget);
    EXPECT_THAT(result.verdict.steps.back().expected, HasSubstr("5000 comparisons"));
}

struct Tower {
    pki::Chain chain;
    pki::Certificate root;
};
Tower tower(std::size_t issuers) {
    auto above = forge::make(forge::ca("root"));
    const auto root = above.certificate;
    pki::Chain chain;
    for (std::size_t i = 1; i < issuers; ++i) {
        above = forge::make(forge::ca("ca " + std::to_string(i)), &above);
        chain.insert(chain.begin(), above.certificate);
    }
    chain.insert(chain.begin(), forge::make(forge::leaf("leaf"), &above).certificate);
    return {chain, root};
}

TEST(VerifySearch, GoesTenIssuersDeepAndNoFurther) {
    const auto ten = tower(pki::Budget::most_depth);
    EXPECT_THAT(decide({.chain = ten.chain, .anchors = {ten.root}}), Accepts());
    const auto eleven = tower(pki::Budget::most_depth + 1);
    EXPECT_THAT(decide({.chain = eleven.chain, .anchors = {eleven.root}}),
                RefusesFor(checks::path_budget, 10));
}

TEST(VerifySearch, TellsAboutThePathThatCameFurthest) {
    // One namesake of the issuer has another key; the real one leads to an expired root. The latter is the
    // story.
    auto wish = forge::ca("root");
    wish.to = std::chrono::hours(-1);
    const auto expired_root = forge::make(wish);
    const auto issuer = forge::make(forge::ca("issuer"), &expired_root);
    const auto namesake = forge::make(forge::ca("issuer"), &expired_root);
    const auto leaf = forge::make(forge::leaf("leaf"), &issuer);
    const auto result = decide({.chain = {leaf.certificate, namesake.certificate, issuer.certificate},
                                .anchors = {expired_root.certificate}});
    EXPECT_THAT(result, RefusesFor(checks::path_validity, 2));
    EXPECT_THAT(subjects(result.path), ElementsAre("leaf", "issuer", "root"));
    EXPECT_EQ(result.path[1], issuer.certificate);
}

}  // namespace
