// SPDX-License-Identifier: Apache-2.0
#include "pki/verdict.hpp"

#include <gtest/gtest.h>

#include <array>

#include "pki/checks.hpp"

namespace {

namespace checks = pki::checks;

TEST(Verdict, WithoutStepsIsARefusal) {
    EXPECT_FALSE(pki::Verdict{}.accepted());
    EXPECT_EQ(pki::summary({}), "refused: nothing was checked");
}

TEST(Verdict, IsComputedFromTheSteps) {
    pki::Verdict verdict;
    verdict.pass(checks::leaf_form, 0, "a", "b");
    verdict.warn(checks::path_name_constraints, 1, "a", "b");
    verdict.skip(checks::path_anchor, -1, "a");
    EXPECT_TRUE(verdict.accepted());
    EXPECT_EQ(verdict.first_failure(), nullptr);
    verdict.fail(checks::leaf_san, 0, "dNSName a.local", "DNS:b.local");
    EXPECT_FALSE(verdict.accepted());
    EXPECT_EQ(verdict.first_failure()->check, checks::leaf_san);
    EXPECT_EQ(pki::summary(verdict), "leaf.san failed at leaf: expected dNSName a.local, found DNS:b.local");
}

TEST(Verdict, ReadsAsAlignedColumns) {
    pki::Verdict verdict;
    verdict.pass(checks::leaf_key_strength, 0, "RSA of 2048 bits or better", "EC P-256");
    verdict.fail(checks::path_validity, 12, "valid at X", "A to B");
    verdict.skip(checks::path_anchor, -1, "a path");
    EXPECT_EQ(pki::to_text(verdict),
              "  passed   leaf.key_strength  leaf     EC P-256\n"
              "  failed   path.validity      link 12  expected valid at X, found A to B\n"
              "  skipped  path.anchor                 a path\n");
    EXPECT_NE(pki::to_coloured_text(verdict).find("\x1b[1;31mfailed"), std::string::npos);
}

TEST(Advice, IsThereForEveryCheckOfVerify) {
    for (const auto check : {checks::leaf_present,
                             checks::leaf_form,
                             checks::leaf_critical_extensions,
                             checks::leaf_validity,
                             checks::leaf_key_strength,
                             checks::leaf_key_usage,
                             checks::leaf_extended_key_usage,
                             checks::leaf_san,
                             checks::path_issuer,
                             checks::path_form,
                             checks::path_critical_extensions,
                             checks::path_validity,
                             checks::path_key_strength,
                             checks::path_basic_constraints,
                             checks::path_length,
                             checks::path_key_usage,
                             checks::path_extended_key_usage,
                             checks::path_name_constraints,
                             checks::path_signature_algorithm,
                             checks::path_signature,
                             checks::path_anchor,
                             checks::path_budget})
        EXPECT_FALSE(pki::advice(check).empty()) << check;
    EXPECT_TRUE(pki::advice("no.such_check").empty());
}

}  // namespace
