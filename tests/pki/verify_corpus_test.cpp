// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "corpus.hpp"

namespace {

std::vector<corpus::Line> core() {
    std::vector<corpus::Line> all;
    std::ranges::copy_if(corpus::lines(), std::back_inserter(all),
                         [](const auto& line) { return line.tier == "core"; });
    return all;
}

std::string test_name(const testing::TestParamInfo<corpus::Line>& info) {
    std::string name = info.param.id;
    std::ranges::replace_if(name, [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
}

class CoreCase : public testing::TestWithParam<corpus::Line> {};

TEST_P(CoreCase, IsDecidedAsTheCorpusExpects) {
    const auto each = corpus::read_case(GetParam());
    for (const auto policy : {pki::Policy::strict, pki::Policy::azure}) {
        const auto result = corpus::run(each, policy);
        EXPECT_EQ(result.verdict.accepted(), each.accept) << each.why << '\n' << pki::to_text(result.verdict);
    }
}

INSTANTIATE_TEST_SUITE_P(Corpus, CoreCase, testing::ValuesIn(core()), test_name);

TEST(Corpus, HoldsAllCasesOfTierCore) {
    EXPECT_EQ(core().size(), 186U);
}

}  // namespace
