// SPDX-License-Identifier: Apache-2.0
#include "check/judge_name.hpp"

#include <gmock/gmock.h>

#include "support/certificates.hpp"

namespace check {
namespace {

using support::test_time;
using testing::HasSubstr;

struct HostnameCase {
    std::string hostname;
    std::optional<std::string> machine;
    Outcome outcome;
};

TEST(JudgeName, HostnamesAreJudgedByFormAndByTheMachinesName) {
    const std::vector<HostnameCase> cases{
        {"edgegateway.local", std::nullopt, Outcome::ok},
        {"edgegateway.local", "edgegateway", Outcome::ok},
        {"EdgeGateway.Local", "edgegateway", Outcome::ok},
        {"edgegateway", "edgegateway", Outcome::ok},
        {"10.0.0.4", "edgegateway", Outcome::ok},
        {"fd00::4", "edgegateway", Outcome::ok},
        {"edgegateway2", "edgegateway", Outcome::error},
        {"other.local", "edgegateway", Outcome::error},
        {"edge_gateway.local", std::nullopt, Outcome::error},
        {"edge gateway", std::nullopt, Outcome::error},
        {"", std::nullopt, Outcome::error},
        {"-edge", std::nullopt, Outcome::error},
        {std::string(60, 'a') + ".local", std::nullopt, Outcome::error},
        {"4edge.local", std::nullopt, Outcome::warning},
        {"edge.4local", std::nullopt, Outcome::warning},
    };
    for (const auto& each : cases) {
        const auto found = judge_hostname(each.hostname, each.machine);
        EXPECT_EQ(found.outcome, each.outcome) << each.hostname << ": " << found.reason;
        EXPECT_EQ(found.fix.empty(), each.outcome == Outcome::ok) << each.hostname;
    }
}

TEST(JudgeName, TheReasonSaysWhatTheNameHas) {
    EXPECT_THAT(judge_hostname("edge_gateway", std::nullopt).reason, HasSubstr("underscore"));
    EXPECT_THAT(judge_hostname("other", "edgegateway").fix, HasSubstr("edgegateway"));
}

TEST(JudgeName, AParentMayHaveAnyNameThatACertificateCanHold) {
    EXPECT_EQ(judge_parent_hostname("parent.contoso.com").outcome, Outcome::ok);
    EXPECT_EQ(judge_parent_hostname("9parent").outcome, Outcome::warning);
    EXPECT_EQ(judge_parent_hostname(std::string(65, 'a')).outcome, Outcome::error);
}

TEST(JudgeName, AClockMayBeTenSecondsOff) {
    using std::chrono::seconds;
    const auto off = [](seconds by) { return judge_clock(test_time() + by, test_time(), "hub").outcome; };
    EXPECT_EQ(off(seconds(9)), Outcome::ok);
    EXPECT_EQ(off(seconds(-9)), Outcome::ok);
    EXPECT_EQ(off(seconds(10)), Outcome::warning);
    EXPECT_EQ(off(seconds(-3600)), Outcome::warning);
    EXPECT_THAT(judge_clock(test_time() - seconds(7200), test_time(), "hub").reason,
                HasSubstr("2 hours behind"));
}

}  // namespace
}  // namespace check
