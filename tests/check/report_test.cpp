// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <set>

#include "check/run.hpp"

namespace check {
namespace {

using testing::HasSubstr;
using testing::Not;

Report report_of(std::vector<Finding> findings) {
    Report report;
    const auto checks = all_checks();
    for (std::size_t i = 0; i < findings.size(); ++i) report.push_back({checks.at(i), findings[i]});
    return report;
}

TEST(Finding, TheWorstOfSeveralTellsEveryFault) {
    const auto all = worst({ok("fine"), warning("late", "renew"), error("expired", "replace")}, "good");
    EXPECT_EQ(all.outcome, Outcome::error);
    EXPECT_EQ(all.reason, "late; expired");
    EXPECT_EQ(all.fix, "renew; replace");
    EXPECT_EQ(worst({ok("fine"), ignored("no")}, "good").outcome, Outcome::ok);
    EXPECT_EQ(worst({}, "good").reason, "good");
}

TEST(Finding, WhatMayNotBeReadIsUnknownAndNoError) {
    const base::Error denied{base::Code::permission_denied, "file x", "could not be opened", ""};
    EXPECT_EQ(failed(denied, "y").outcome, Outcome::unknown);
    EXPECT_THAT(failed(denied, "y").fix, HasSubstr("root"));
    const base::Error absent{base::Code::not_found, "file x", "could not be opened", ""};
    EXPECT_EQ(failed(absent, "put it there").outcome, Outcome::error);
    EXPECT_EQ(failed(absent, "put it there").fix, "put it there");
}

TEST(Report, AnErrorCountsMoreThanAnUnknownAndThatMoreThanAWarning) {
    EXPECT_EQ(verdict_of({}), Outcome::ok);
    EXPECT_EQ(verdict_of(report_of({ok(""), ignored(""), skipped("")})), Outcome::ok);
    EXPECT_EQ(verdict_of(report_of({warning("", "x"), ok("")})), Outcome::warning);
    EXPECT_EQ(verdict_of(report_of({unknown("", "x"), warning("", "x")})), Outcome::unknown);
    EXPECT_EQ(verdict_of(report_of({error("", "x"), unknown("", "x")})), Outcome::error);
}

TEST(Report, TextHasOneLineACheckAndTheFixBelow) {
    const auto text =
        to_text(report_of({error("line one\nline two", "mend it"), ignored("nothing here"), ok("fine")}));
    EXPECT_THAT(text, HasSubstr("error"));
    EXPECT_THAT(text, HasSubstr("line one; line two\n"));
    EXPECT_THAT(text, HasSubstr("fix: mend it\n"));
    EXPECT_THAT(text, Not(HasSubstr("nothing here")));
    EXPECT_THAT(text, HasSubstr("1 ok, 0 warnings, 1 errors, 0 unknown, 0 skipped"));
}

TEST(Report, JsonHasEveryMemberOfEveryCheck) {
    const auto checks = all_checks();
    EXPECT_EQ(to_json({{checks[0], error("bad", "mend it")}, {checks[1], ok("")}}),
              std::string(R"({"checks":[{"id":")") + std::string(checks[0].id) + R"(","description":")" +
                  std::string(checks[0].description) +
                  R"(","result":"error","reason":"bad","fix":"mend it"},{"id":")" +
                  std::string(checks[1].id) + R"(","description":")" + std::string(checks[1].description) +
                  R"(","result":"ok","reason":"","fix":""}]})");
}

TEST(Checks, IdsAreUniqueAndThoseOfTheOriginalAreThere) {
    std::set<std::string_view> ids;
    for (const auto& check : all_checks()) EXPECT_TRUE(ids.insert(check.id).second) << check.id;
    // edge-runtime.md 10.1 and 10.2, but for containers, versions and proxies.
    for (const auto* id : {"keyd-config-well-formed",
                           "certd-config-well-formed",
                           "tpmd-config-well-formed",
                           "identityd-config-well-formed",
                           "configs-up-to-date",
                           "hostname",
                           "host-local-time",
                           "identity-certificate-expiry",
                           "est-identity-and-bootstrap-certificate-expiry",
                           "local-ca-certificate-expiry",
                           "certs-preloaded",
                           "keyd-running",
                           "certd-running",
                           "tpmd-running",
                           "identityd-running",
                           "certs-read",
                           "key-pairs-read",
                           "est-server-https",
                           "certs-match-private-keys",
                           "host-connect-iothub-amqp",
                           "host-connect-iothub-https",
                           "host-connect-iothub-mqtt",
                           "host-connect-dps-endpoint",
                           "aziot-edged-config-well-formed",
                           "config-up-to-date",
                           "parent_hostname"})
        EXPECT_TRUE(ids.contains(id)) << id;
}

TEST(Checks, AreChosenByIdAndByGroup) {
    const auto one = choose({"hostname"}, {});
    ASSERT_TRUE(one);
    ASSERT_EQ(one->size(), 1U);
    EXPECT_EQ(one->front().id, "hostname");
    const auto group = choose({"edge CA"}, {"edge-ca-expiry"});
    ASSERT_TRUE(group);
    EXPECT_GE(group->size(), 5U);
    for (const auto& check : *group) EXPECT_NE(check.id, "edge-ca-expiry");
    EXPECT_EQ(choose({}, {})->size(), all_checks().size());
    EXPECT_EQ(choose({"hostnme"}, {}).error().code, base::Code::usage);
    EXPECT_EQ(choose({}, {"hostnme"}).error().code, base::Code::usage);
}

}  // namespace
}  // namespace check
