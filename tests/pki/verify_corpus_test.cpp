// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

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

std::set<std::string> disagreements() {
    std::set<std::string> all;
    for (const auto& line : corpus::lines()) {
        const auto each = corpus::read_case(line);
        if (corpus::run(each).verdict.accepted() != each.accept) all.insert(line.id);
    }
    return all;
}

// Every `limbo/...` and `pkits/...` of the page.
std::set<std::string> documented() {
    std::ifstream file(TEST_DATA "/../../docs/explanation/path-validation.md");
    std::stringstream text;
    text << file.rdbuf();
    const std::string page = text.str();
    static const std::regex id("`((?:limbo|pkits)/[^`]+)`");
    std::set<std::string> all;
    for (std::sregex_iterator at(page.begin(), page.end(), id), end; at != end; ++at) all.insert((*at)[1]);
    return all;
}

TEST(Corpus, IsDisagreedWithExactlyWhereTheDocumentSays) {
    EXPECT_THAT(disagreements(), testing::ContainerEq(documented()));
}

}  // namespace
