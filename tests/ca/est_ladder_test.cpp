// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/file.hpp"
#include "ca/admin.hpp"
#include "test_ca.hpp"

namespace {

using namespace ca_test;
using std::chrono::hours;

boost::json::object approve(TestCa& ca, const boost::json::object& request) {
    const auto done = ca::perform_approval({ca.ledger(), ca.server().approvals(), ca.clock()}, request, {});
    EXPECT_TRUE(done) << done.error().text();
    return done.value_or(boost::json::object{});
}

std::int64_t only_pending(TestCa& ca) {
    const auto answer = approve(ca, {{"do", "pending"}});
    const auto& all = answer.at("pending").as_array();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? 0 : all.front().as_object().at("id").as_int64();
}

TEST(EstAfterExpiry, IsRefusedAsDelivered) {
    TestCa ca;
    const auto old = ca.issue(pki::Profile::device, "dev1", {}, hours(24));
    ca.clock().move(hours(25));
    const auto answer = ca.enrol(reenroll, request({.common_name = "dev1"}, old.key), &old);
    EXPECT_EQ(TestCa::reason(answer), "auth.expired");
    EXPECT_EQ(answer.status, 403);
}

TEST(EstAfterExpiry, RenewsWithItsOwnKeyForSoLong) {
    TestCa ca("[profile.device]\nrenew_after_expiry = \"90d\"\n");
    const auto old = ca.issue(pki::Profile::device, "dev1", {}, hours(24));
    ca.clock().move(hours(24 * 30));
    EXPECT_EQ(TestCa::reason(ca.enrol(reenroll, request({.common_name = "dev1"}, new_key()), &old)),
              "auth.expired");
    EXPECT_EQ(ca.enrol(reenroll, request({.common_name = "dev1"}, old.key), &old).status, 200);
    EXPECT_EQ(ca.audit_lines("renewed after expiry"), 1);
    ASSERT_TRUE(ca.ledger().revoke(ca.ledger().find(old.chain.front())->serial, ca::Reason::superseded, {}));
    EXPECT_EQ(TestCa::reason(ca.enrol(reenroll, request({.common_name = "dev1"}, old.key), &old)),
              "auth.revoked");
    const auto older = ca.issue(pki::Profile::device, "dev2", {}, hours(24));
    ca.clock().move(hours(24 * 92));
    EXPECT_EQ(TestCa::reason(ca.enrol(reenroll, request({.common_name = "dev2"}, older.key), &older)),
              "auth.expired");
}

TEST(EstAfterExpiry, AnIdentityThatHasEndedEnrolsNothingElse) {
    TestCa ca("[profile.est-identity]\nrenew_after_expiry = \"90d\"\n");
    const auto identity = ca.issue(pki::Profile::est_identity, "dev1", {}, hours(24));
    ca.clock().move(hours(48));
    EXPECT_EQ(TestCa::reason(ca.enrol(enroll, request({.common_name = "dev1"}, new_key()), &identity)),
              "auth.expired");
    EXPECT_EQ(
        ca.enrol(enroll, request({.common_name = "dev1", .usages = {"clientAuth"}}, identity.key), &identity)
            .status,
        200);
}

TEST(EstBootstrap, IsTheNextRung) {
    TestCa ca;
    const auto bootstrap = ca.issue(pki::Profile::bootstrap, "dev1");
    const auto body = request({.common_name = "dev1", .usages = {"clientAuth"}}, new_key());
    EXPECT_EQ(ca.enrol(enroll, body, &bootstrap).status, 200);
    ca.clock().move(hours(24 * 60));
    EXPECT_EQ(ca.enrol(enroll, body, &bootstrap).status, 200);
}

TEST(EstBootstrap, OfAFactoryIsJudgedByItsAnchor) {
    const support::TemporaryDirectory directory;
    const auto now = base::system_clock().now();
    const auto factory =
        support::make_identity({.profile = pki::Profile::root, .common_name = "Factory CA", .now = now});
    const auto file = directory / "factory.pem";
    ASSERT_TRUE(base::write_atomically(file, factory.certificate.pem(), base::public_mode));
    TestCa ca("[[bootstrap]]\nname = \"f\"\nanchors = \"" + file.string() + "\"\nlabels = [\"device\"]\n");
    const auto leaf = support::make_identity(
        {.profile = pki::Profile::bootstrap, .common_name = "dev7", .now = now}, &factory);
    const Client client{{leaf.certificate}, leaf.key.share()};
    const auto body = request({.common_name = "dev7"}, new_key());
    const auto chain = certificates_in(ca.enrol(enroll, body, &client));
    ASSERT_EQ(chain.size(), 1U);
    EXPECT_EQ(ca.ledger().find(chain.front())->actor, "bootstrap:dev7");
    EXPECT_EQ(TestCa::reason(ca.enrol("/.well-known/est/server/simpleenroll", body, &client)),
              "policy.label");
    EXPECT_EQ(TestCa::reason(ca.enrol(reenroll, body, &client)), "reenroll.unknown");
    const auto server = support::make_identity(
        {.profile = pki::Profile::server, .common_name = "dev7", .names = {"DNS:dev7"}, .now = now},
        &factory);
    const Client wrong{{server.certificate}, server.key.share()};
    EXPECT_EQ(TestCa::reason(ca.enrol(enroll, body, &wrong)), "auth.usage");
}

TEST(EstApproval, WaitsIsGivenOnceAndSurvivesARestart) {
    TestCa ca("[profile.est-identity]\napproval = \"manual\"\n");
    const auto bootstrap = ca.issue(pki::Profile::bootstrap, "dev1");
    const auto body = request({.common_name = "dev1"}, new_key());
    for (int i = 0; i < 2; ++i) {
        const auto waiting = ca.enrol(enroll, body, &bootstrap);
        EXPECT_EQ(waiting.status, 202);
        EXPECT_EQ(waiting.headers.get("Retry-After"), "60");
        EXPECT_EQ(TestCa::reason(waiting), "policy.pending");
    }
    EXPECT_EQ(ca.audit_lines("\"pending\""), 1);
    const auto id = only_pending(ca);
    ca.restart();
    approve(ca, {{"do", "decide"}, {"id", id}});
    EXPECT_EQ(ca.enrol(enroll, body, &bootstrap).status, 200);
    EXPECT_EQ(ca.enrol(enroll, body, &bootstrap).status, 202);
    approve(ca, {{"do", "decide"}, {"id", only_pending(ca)}, {"deny", true}});
    EXPECT_EQ(TestCa::reason(ca.enrol(enroll, body, &bootstrap)), "policy.denied");
}

TEST(EstApproval, OfANameServesKeysThatChange) {
    TestCa ca("[profile.est-identity]\napproval = \"manual\"\n");
    const auto bootstrap = ca.issue(pki::Profile::bootstrap, "dev1");
    const auto attempt = [&] {
        return ca.enrol(enroll, request({.common_name = "dev1"}, new_key()), &bootstrap).status;
    };
    EXPECT_EQ(attempt(), 202);
    approve(ca, {{"do", "permit"},
                 {"caller", "bootstrap:dev1"},
                 {"label", "device"},
                 {"subject", "CN=dev1"},
                 {"count", 2},
                 {"seconds", 3600}});
    EXPECT_EQ(attempt(), 200);
    EXPECT_EQ(attempt(), 200);
    EXPECT_EQ(attempt(), 202);
}

TEST(EstKeys, AreMadeFreshAndMatchTheirCertificate) {
    TestCa ca("[profile.device]\nserverkeygen = true\n");
    const auto key = new_key();
    const auto answer = ca.enrol("/.well-known/est/serverkeygen", request({.common_name = "line-3-a"}, key),
                                 nullptr, basic("line-3:secret"));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(answer.headers.get("Content-Type")->starts_with("multipart/mixed; boundary="));
    EXPECT_TRUE(answer.body.ends_with("--\r\n"));
    EXPECT_EQ(ca.audit_lines("\"serverkeygen\""), 1);
    const auto listed = ca.ledger().list({.device = "line-3-a"});
    ASSERT_EQ(listed.size(), 1U);
    const auto leaf = pki::Certificate::from_der(ca.ledger().find(listed.front().serial)->der);
    ASSERT_TRUE(leaf);
    EXPECT_FALSE(key.matches(*leaf));
}

TEST(EstRate, OneNameIsNotIssuedForEver) {
    TestCa ca("[est]\nper_name_per_hour = 2\n");
    const auto body = request({.common_name = "line-3-a"}, new_key());
    const auto attempt = [&] { return ca.enrol(enroll, body, nullptr, basic("line-3:secret")); };
    EXPECT_EQ(attempt().status, 200);
    EXPECT_EQ(attempt().status, 200);
    const auto refused = attempt();
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(TestCa::reason(refused), "rate.limit");
    EXPECT_TRUE(refused.headers.get("Retry-After").has_value());
    EXPECT_EQ(
        ca.enrol(enroll, request({.common_name = "line-3-b"}, new_key()), nullptr, basic("line-3:secret"))
            .status,
        200);
    ca.clock().move(hours(1));
    EXPECT_EQ(attempt().status, 200);
}

TEST(EstServerIdentity, IsRenewedWhileItServes) {
    TestCa ca;
    const auto actor = [&] { return ca.ledger().list({.device = "sallyport-ca"}).size(); };
    ASSERT_EQ(actor(), 1U);
    ca.restart();
    EXPECT_EQ(actor(), 1U) << "what is fresh is kept";
    ca.clock().move(hours(24 * 61));
    // The renewal runs on the loop; whoever connects afterwards is shown the new certificate.
    for (int i = 0; i < 1000 && actor() < 2; ++i)
        EXPECT_EQ(ca.ask({.path = "/.well-known/est/cacerts"}).status, 200);
    EXPECT_EQ(actor(), 2U);
    ca.clock().move(hours(24 * 40));
    EXPECT_EQ(ca.ask({.path = "/.well-known/est/cacerts"}).status, 200) << "the first one has ended by now";
}

TEST(EstKeysOfProfiles, AreNarrowed) {
    TestCa ca("[profile.device]\nkeys = [\"RSA-2048\"]\nrekey = \"forbid\"\n");
    const auto user = basic("line-3:secret");
    const auto refused = ca.enrol(enroll, request({.common_name = "line-3-a"}, new_key()), nullptr, user);
    EXPECT_EQ(TestCa::reason(refused), "key.type");
    EXPECT_EQ(refused.status, 403);
    auto key = new_key(pki::KeyType::rsa_2048);
    Client old{certificates_in(ca.enrol(enroll, request({.common_name = "line-3-a"}, key), nullptr, user)),
               key.share()};
    const auto rsa = new_key(pki::KeyType::rsa_2048);
    EXPECT_EQ(TestCa::reason(ca.enrol(reenroll, request({.common_name = "line-3-a"}, rsa), &old)),
              "reenroll.key");
    EXPECT_EQ(ca.enrol(reenroll, request({.common_name = "line-3-a"}, key), &old).status, 200);
}

}  // namespace
