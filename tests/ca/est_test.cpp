// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "est/message.hpp"
#include "pki/subject_name.hpp"
#include "pki/verify.hpp"
#include "test_ca.hpp"

namespace {

using namespace ca_test;
using testing::HasSubstr;

std::string header(const http::Response& answer, std::string_view name) {
    return std::string(answer.headers.get(name).value_or(""));
}

const std::string user = basic("line-3:secret");

class Est : public testing::Test {
  protected:
    /// Refused with this id, nothing issued.
    void refused(const http::Response& answer, const std::string& id, int status) {
        EXPECT_EQ(TestCa::reason(answer), id) << answer.body;
        EXPECT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(header(answer, "Content-Type"), "text/plain; charset=utf-8");
        EXPECT_EQ(answer.body.find('\n'), answer.body.size() - 1);
    }
    bool is_accepted(const pki::Certificate& leaf, const http::Response& cacerts, pki::Purpose purpose) {
        const auto given = certificates_in(cacerts);
        const pki::TrustBundle trust({ca.root()});
        const pki::Chain chain{leaf};
        return pki::verify({.chain = chain,
                            .trust = trust,
                            .intermediates = &given,
                            .purpose = purpose,
                            .now = ca.clock().now()})
            .verdict.accepted();
    }
    /// An EST identity by way of EST, from a bootstrap certificate.
    Client est_identity(const std::string& device) {
        const auto bootstrap = ca.issue(pki::Profile::bootstrap, device);
        auto key = new_key();
        const auto answer =
            ca.enrol("/.well-known/est/device/simpleenroll",
                     request({.common_name = device, .usages = {"clientAuth"}}, key), &bootstrap);
        return {certificates_in(answer), std::move(key)};
    }

    TestCa ca;
};

TEST_F(Est, CaCertificatesAreGivenToAnybody) {
    const auto answer = ca.ask({.path = "/.well-known/est/cacerts"});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(header(answer, "Content-Type"), "application/pkcs7-mime");
    EXPECT_EQ(header(answer, "Content-Transfer-Encoding"), "base64");
    EXPECT_EQ(header(answer, "Cache-Control"), "max-age=3600");
    EXPECT_EQ(header(answer, "Content-Length"), std::to_string(answer.body.size()));
    EXPECT_EQ(answer.body.find('\n'), answer.body.size() - 1);
    const auto certificates = certificates_in(answer);
    ASSERT_EQ(certificates.size(), 2U);
    for (const auto& certificate : certificates) EXPECT_TRUE(certificate.is_ca());
    EXPECT_EQ(certificates.back(), ca.root());
    EXPECT_EQ(ca.ask({.path = "/.well-known/est/cacerts", .authorization = basic("a:b")}).status, 200);
    EXPECT_EQ(ca.ask({.path = "/edge-ca/.well-known/est/cacerts"}).body, answer.body);
    const auto lines =
        ca.ask({.path = "/.well-known/est/cacerts", .headers = {{"User-Agent", "libest 3.2.0p"}}});
    EXPECT_EQ(lines.body.find('\n'), 64U);
    EXPECT_EQ(*est::read_body(lines.body), *est::read_body(answer.body));
}

TEST_F(Est, HeadTellsWhatGetWouldSend) {
    const auto get = ca.ask({.path = "/.well-known/est/cacerts"});
    const auto head = ca.ask({.path = "/.well-known/est/cacerts", .verb = http::Verb::head});
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(header(head, "Content-Length"), header(get, "Content-Length"));
}

TEST_F(Est, CsrAttributesAreThoseOfTheLabel) {
    const auto device = ca.ask({.path = "/.well-known/est/device/csrattrs"});
    EXPECT_EQ(device.status, 200);
    EXPECT_EQ(header(device, "Content-Type"), "application/csrattrs");
    EXPECT_THAT(device.body, HasSubstr("MIGBMBUGByqGSM49AgEx"));
    EXPECT_EQ(device.body, ca.ask({.path = "/.well-known/est/csrattrs"}).body);
    EXPECT_NE(device.body, ca.ask({.path = "/.well-known/est/server/csrattrs"}).body);
}

TEST_F(Est, PathsAndMethodsAreCheckedBeforeAnythingElse) {
    struct Row {
        std::string path;
        http::Verb verb;
        std::string id;
        int status;
        std::string allow;
    };
    for (const auto& row : std::vector<Row>{
             {"/", http::Verb::get, "http.path", 404, ""},
             {"/simpleenroll", http::Verb::post, "http.path", 404, ""},
             {"/.well-known/est/pal", http::Verb::get, "http.path", 404, ""},
             {"/.well-known/est/cacerts/", http::Verb::get, "http.path", 404, ""},
             {"/.well-known/est/../cacerts", http::Verb::get, "http.path", 400, ""},
             {"/.well-known/est/%2e%2e/%2e%2e/etc/passwd", http::Verb::get, "http.path", 400, ""},
             {"/.well-known/est/a%2fb/cacerts", http::Verb::get, "http.path", 400, ""},
             {"/.well-known/est/nosuch/cacerts", http::Verb::get, "est.label", 404, ""},
             {"/.well-known/est/nosuch/simpleenroll", http::Verb::post, "est.label", 404, ""},
             {enroll, http::Verb::get, "http.method", 405, "POST"},
             {enroll, http::Verb::delete_, "http.method", 405, "POST"},
             {enroll, http::Verb::put, "http.method", 405, "POST"},
             {"/.well-known/est/cacerts", http::Verb::post, "http.method", 405, "GET, HEAD"},
             {"/.well-known/est/csrattrs", http::Verb::put, "http.method", 405, "GET, HEAD"},
             {"/.well-known/est/fullcmc", http::Verb::post, "op.unsupported", 501, ""},
         }) {
        const auto answer = ca.ask({.path = row.path, .verb = row.verb});
        refused(answer, row.id, row.status);
        EXPECT_EQ(header(answer, "Allow"), row.allow) << row.path;
        EXPECT_EQ(header(answer, "Connection"), "close") << "the client asked for it";
    }
}

TEST_F(Est, TheTypeMustBeThatOfARequest) {
    const auto key = new_key();
    const auto body = request({.common_name = "line-3-a"}, key);
    const auto with = [&](std::map<std::string, std::string> headers) {
        return ca.ask({.path = enroll, .body = body, .authorization = user, .headers = std::move(headers)});
    };
    refused(with({}), "http.type", 415);
    refused(with({{"Content-Type", "text/plain"}}), "http.type", 415);
    refused(with({{"Content-Type", "application/x-www-form-urlencoded"}}), "http.type", 415);
    EXPECT_EQ(with({{"Content-Type", "Application/PKCS10"}}).status, 200);
    EXPECT_EQ(
        with({{"Content-Type", "application/pkcs10; charset=x"}, {"Content-Transfer-Encoding", "x"}}).status,
        200);
}

TEST_F(Est, WithoutCredentialsNothingIsIssued) {
    const auto body = request({.common_name = "line-3-a"}, new_key());
    const auto before = ca.issued_count();
    const auto none = ca.enrol(enroll, body);
    refused(none, "auth.none", 401);
    EXPECT_EQ(header(none, "WWW-Authenticate"), "Basic realm=\"sallyport-est\", charset=\"UTF-8\"");
    for (const auto& wrong : {basic("line-3:Secret"), basic("nobody:secret")}) {
        const auto answer = ca.enrol(enroll, body, nullptr, wrong);
        refused(answer, "auth.password", 401);
        EXPECT_NE(header(answer, "WWW-Authenticate"), "");
        EXPECT_EQ(answer.body, "auth.password: user or password is wrong\n");
    }
    for (const std::string& bad : {std::string("Basic !!!"), std::string("Bearer x"), basic("nocolon"),
                                   "Basic " + std::string(8192, 'A')})
        refused(ca.enrol(enroll, body, nullptr, bad), "auth.header", 401);
    EXPECT_EQ(ca.issued_count(), before);
    EXPECT_EQ(ca.audit_lines("\"auth.password\""), 2);
    EXPECT_EQ(ca.audit_lines("\"auth.none\""), 0);
}

TEST_F(Est, AUserEnrolsItsNames) {
    const auto key = new_key();
    const auto answer =
        ca.enrol(enroll, request({.common_name = "line-3-a", .names = {"DNS:line-3-a"}}, key), nullptr, user);
    EXPECT_EQ(header(answer, "Content-Type"), "application/pkcs7-mime; smime-type=certs-only");
    EXPECT_EQ(header(answer, "Cache-Control"), "no-store");
    EXPECT_TRUE(answer.body.ends_with('\n'));
    const auto chain = certificates_in(answer);
    ASSERT_EQ(chain.size(), 1U);
    const auto& leaf = chain.front();
    EXPECT_TRUE(key.matches(leaf));
    EXPECT_EQ(leaf.subject(), "CN=line-3-a");
    EXPECT_EQ(leaf.subject_alternative_names(), std::vector<std::string>{"DNS:line-3-a"});
    EXPECT_FALSE(leaf.is_ca());
    EXPECT_EQ(leaf.extended_key_usage(), std::vector<std::string>{"clientAuth"});
    EXPECT_EQ(leaf.serial_hex().size(), 32U);
    EXPECT_TRUE(is_accepted(leaf, ca.ask({.path = "/.well-known/est/cacerts"}), pki::Purpose::client));
    const auto entry = ca.ledger().find(leaf);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->label, "device");
    EXPECT_EQ(entry->profile, pki::Profile::device);
    EXPECT_EQ(entry->device, "line-3-a");
    EXPECT_EQ(entry->actor, "user:line-3");
    EXPECT_EQ(ca.audit_lines("\"issue\",\"actor\":\"user:line-3\""), 1);
}

TEST_F(Est, TheSameRequestIssuesAgain) {
    const auto key = new_key();
    const auto body = request({.common_name = "line-3-a"}, key);
    const auto first = certificates_in(ca.enrol(enroll, body, nullptr, user)).front();
    const auto second = certificates_in(ca.enrol(enroll, body, nullptr, user)).front();
    EXPECT_NE(first.serial_hex(), second.serial_hex());
}

TEST_F(Est, EveryKindOfKeyThatIsStrongEnoughIsCertified) {
    for (const auto type :
         {pki::KeyType::ec_p256, pki::KeyType::ec_p384, pki::KeyType::rsa_2048, pki::KeyType::rsa_3072}) {
        const auto key = new_key(type);
        const auto chain =
            certificates_in(ca.enrol(enroll, request({.common_name = "line-3-k"}, key), nullptr, user));
        ASSERT_EQ(chain.size(), 1U);
        EXPECT_TRUE(key.matches(chain.front()));
    }
}

TEST_F(Est, APemRequestIsTakenToo) {
    const auto pem = *pki::make_csr_pem({.common_name = "line-3-a"}, new_key());
    EXPECT_EQ(ca.enrol(enroll, pem, nullptr, user).status, 200);
}

TEST_F(Est, ABootstrapCertificateGetsAnIdentityAndNoCa) {
    const auto bootstrap = ca.issue(pki::Profile::bootstrap, "dev1");
    for (const std::string label : {"device", "edge-ca", "server"}) {
        const auto key = new_key();
        const auto chain = certificates_in(
            ca.enrol("/.well-known/est/" + label + "/simpleenroll",
                     request({.common_name = "dev1", .usages = {"clientAuth"}}, key), &bootstrap));
        ASSERT_EQ(chain.size(), 1U) << label;
        EXPECT_FALSE(chain.front().is_ca());
        const auto entry = ca.ledger().find(chain.front());
        EXPECT_EQ(entry->profile, pki::Profile::est_identity);
        EXPECT_EQ(entry->device, "dev1");
        EXPECT_EQ(entry->actor, "bootstrap:dev1");
    }
    refused(ca.enrol(enroll, request({.common_name = "dev2"}, new_key()), &bootstrap), "name.not_allowed",
            403);
    refused(ca.enrol(enroll, request({.common_name = "DEV1"}, new_key()), &bootstrap), "name.not_allowed",
            403);
    // The certificate wanted next names it; the bootstrap certificate binds it.
    const auto chain =
        certificates_in(ca.enrol("/.well-known/est/edge-ca/simpleenroll",
                                 request({.common_name = "aziot-edge CA dev1"}, new_key()), &bootstrap));
    ASSERT_EQ(chain.size(), 1U);
    EXPECT_EQ(ca.ledger().find(chain.front())->device, "dev1");
}

TEST_F(Est, AnIdentityGetsDeviceServerAndEdgeCa) {
    const auto identity = est_identity("dev1");
    ASSERT_FALSE(identity.chain.empty());
    // IoT Edge's request for its device identity has no extension at all.
    const auto device = certificates_in(ca.enrol("/.well-known/est/device/simpleenroll",
                                                 request({.common_name = "dev1"}, new_key()), &identity));
    ASSERT_EQ(device.size(), 1U);
    EXPECT_EQ(ca.ledger().find(device.front())->profile, pki::Profile::device);
    EXPECT_EQ(device.front().extended_key_usage(), std::vector<std::string>{"clientAuth"});

    const auto edge_key = new_key();
    const auto edge = certificates_in(
        ca.enrol("/.well-known/est/edge-ca/simpleenroll",
                 request({.common_name = "aziot-edge CA dev1", .ca = true}, edge_key), &identity));
    ASSERT_EQ(edge.size(), 1U);
    EXPECT_TRUE(edge.front().is_ca());
    EXPECT_EQ(ca.ledger().find(edge.front())->profile, pki::Profile::edge_ca);
    const support::Identity issuer{edge.front(), edge_key.share()};
    const auto module = support::make_identity(
        {.profile = pki::Profile::server, .names = {"DNS:mod"}, .now = ca.clock().now()}, &issuer);
    const auto roots = pki::TrustBundle({ca.root()});
    const pki::Chain chain{module.certificate, edge.front()};
    EXPECT_TRUE(pki::verify({.chain = chain,
                             .trust = roots,
                             .intermediates = &ca.ledger().published(),
                             .purpose = pki::Purpose::server,
                             .now = ca.clock().now()})
                    .verdict.accepted());

    refused(ca.enrol("/.well-known/est/device/simpleenroll",
                     request({.common_name = "dev1", .ca = true}, new_key()), &identity),
            "csr.extension", 403);
    refused(ca.enrol("/.well-known/est/edge-ca/simpleenroll",
                     request({.common_name = "aziot-edge CA dev1"}, new_key()), &identity),
            "csr.extension", 403);
    refused(ca.enrol("/.well-known/est/device/simpleenroll", request({.common_name = "dev2"}, new_key()),
                     &identity),
            "name.not_allowed", 403);

    const auto server = certificates_in(
        ca.enrol("/.well-known/est/server/simpleenroll",
                 request({.common_name = "dev1", .names = {"DNS:dev1"}}, new_key()), &identity));
    ASSERT_EQ(server.size(), 1U);
    EXPECT_EQ(server.front().extended_key_usage(), std::vector<std::string>{"serverAuth"});
    refused(ca.enrol("/.well-known/est/server/simpleenroll", request({.common_name = "dev1"}, new_key()),
                     &identity),
            "name.san", 403);
    refused(ca.enrol("/.well-known/est/server/simpleenroll",
                     request({.common_name = "dev1", .names = {"DNS:dev1", "DNS:bank.example"}}, new_key()),
                     &identity),
            "name.san", 403);
}

TEST_F(Est, AnIdentityRenewsItselfWhereItWasFirstMade) {
    auto identity = est_identity("dev1");
    for (const std::string label : {"device", "edge-ca", "device"}) {
        auto key = new_key();
        const auto chain = certificates_in(
            ca.enrol("/.well-known/est/" + label + "/simpleenroll",
                     request({.common_name = "dev1", .usages = {"clientAuth"}}, key), &identity));
        ASSERT_EQ(chain.size(), 1U) << label;
        const auto entry = ca.ledger().find(chain.front());
        EXPECT_EQ(entry->profile, pki::Profile::est_identity);
        EXPECT_EQ(ca.ledger().find(*entry->replaces)->certificate, identity.chain.front().sha256());
        identity = {chain, std::move(key)};
    }
}

TEST_F(Est, ReenrolmentKeepsSubjectAndNames) {
    const auto old = ca.issue(pki::Profile::device, "dev1", {"DNS:dev1.local", "URI:urn:x:1"});
    const std::string path = "/.well-known/est/simplereenroll";
    const auto next = new_key();
    const auto again = certificates_in(ca.enrol(
        path, request({.common_name = "dev1", .names = {"URI:urn:x:1", "DNS:DEV1.local"}}, next), &old));
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(pki::subject_der(again.front()), pki::subject_der(old.chain.front()));
    EXPECT_EQ(again.front().subject_alternative_names(), old.chain.front().subject_alternative_names());
    EXPECT_TRUE(next.matches(again.front()));
    EXPECT_EQ(ca.ledger().find(again.front())->replaces, ca.ledger().find(old.chain.front())->serial);
    EXPECT_EQ(
        ca.enrol(path, request({.common_name = "dev1", .names = {"DNS:dev1.local", "URI:urn:x:1"}}, old.key),
                 &old)
            .status,
        200);
    refused(ca.enrol(path, request({.common_name = "dev2", .names = {"DNS:dev1.local", "URI:urn:x:1"}}, next),
                     &old),
            "reenroll.subject", 403);
    refused(ca.enrol(path, request({.common_name = "dev1"}, next), &old), "reenroll.san", 403);
    refused(ca.enrol(path, request({.common_name = "dev1", .names = {"DNS:dev1.local"}}, next), &old),
            "reenroll.san", 403);
    refused(
        ca.enrol("/.well-known/est/server/simplereenroll",
                 request({.common_name = "dev1", .names = {"DNS:dev1.local", "URI:urn:x:1"}}, next), &old),
        "reenroll.profile", 403);
    refused(ca.enrol(path, request({.common_name = "dev1"}, next)), "reenroll.certificate", 401);
    refused(ca.enrol(path, request({.common_name = "line-3-a"}, next), nullptr, user), "reenroll.certificate",
            403);
}

TEST_F(Est, AnIssuedCertificateRenewsItselfAndNothingElse) {
    const auto device = ca.issue(pki::Profile::device, "dev1");
    EXPECT_EQ(ca.enrol(enroll, request({.common_name = "dev1"}, new_key()), &device).status, 200);
    refused(ca.enrol(enroll, request({.common_name = "dev2"}, new_key()), &device), "name.not_allowed", 403);
    refused(ca.enrol("/.well-known/est/edge-ca/simpleenroll",
                     request({.common_name = "dev1", .ca = true}, new_key()), &device),
            "policy.label", 403);
    // A server's certificate opens no door but its own renewal.
    const auto server = ca.issue(pki::Profile::server, "gw", {"DNS:gw"});
    const auto body = request({.common_name = "gw", .names = {"DNS:gw"}}, new_key());
    refused(ca.enrol("/.well-known/est/server/simpleenroll", body, &server), "auth.usage", 403);
    EXPECT_EQ(ca.enrol("/.well-known/est/server/simplereenroll", body, &server).status, 200);
}

TEST_F(Est, CertificatesThatAreNoGoodAreRefusedAlsoWithAPassword) {
    const auto body = request({.common_name = "line-3-a"}, new_key());
    const auto before = ca.issued_count();
    const auto refuse = [&](const Client& client, const std::string& id) {
        refused(ca.enrol(enroll, body, &client, user), id, 403);
        EXPECT_GE(ca.audit_lines("\"" + id + "\""), 1) << id;
    };
    const auto now = ca.clock().now();
    const auto foreign_root = support::make_identity(
        {.profile = pki::Profile::root, .common_name = "my_private_root_CA", .now = now});
    const auto lookalike = support::make_identity(
        {.profile = pki::Profile::intermediate, .common_name = "my_optional_intermediate_CA", .now = now},
        &foreign_root);
    const auto foreign = support::make_identity({.common_name = "dev1", .now = now}, &lookalike);
    refuse({{foreign.certificate, lookalike.certificate}, foreign.key.share()}, "auth.certificate");
    const auto device = ca.issue(pki::Profile::device, "dev1");
    const auto self_signed =
        support::make_identity({.profile = pki::Profile::root, .common_name = "dev1", .now = now});
    refuse({{self_signed.certificate}, self_signed.key.share()}, "auth.certificate");
    auto revoked = ca.issue(pki::Profile::device, "dev1");
    ASSERT_TRUE(
        ca.ledger().revoke(ca.ledger().find(revoked.chain.front())->serial, ca::Reason::key_compromise, {}));
    refuse(revoked, "auth.revoked");
    refuse(ca.issue(pki::Profile::edge_ca, "edge"), "auth.usage");
    ASSERT_TRUE(ca.ledger().block("dev1", true, {}));
    refuse(device, "auth.blocked");
    ASSERT_TRUE(ca.ledger().block("dev1", false, {}));
    const auto brief = ca.issue(pki::Profile::device, "dev1", {}, std::chrono::hours(1));
    ca.clock().move(std::chrono::hours(2));
    refuse(brief, "auth.expired");
    EXPECT_EQ(ca.issued_count(), before + 4);
}

TEST_F(Est, RevocationAndBlockingCountAtOnce) {
    const auto device = ca.issue(pki::Profile::device, "dev1");
    const auto body = request({.common_name = "dev1"}, new_key());
    EXPECT_EQ(ca.enrol(enroll, body, &device).status, 200);
    ASSERT_TRUE(
        ca.ledger().revoke(ca.ledger().find(device.chain.front())->serial, ca::Reason::superseded, {}));
    refused(ca.enrol(enroll, body, &device), "auth.revoked", 403);
}

TEST_F(Est, ChainsOfEveryShapeAreAccepted) {
    auto device = ca.issue(pki::Profile::device, "dev1");
    const auto body = request({.common_name = "dev1"}, new_key());
    const auto leaf = device.chain.front();
    const auto issuer = device.chain.at(1);
    const auto extra = support::TestPki().intermediate.certificate;
    for (const auto& chain : std::vector<pki::Chain>{
             {leaf}, {leaf, issuer}, {leaf, issuer, ca.root()}, {leaf, extra, ca.root(), issuer}}) {
        const Client client{chain, device.key.share()};
        EXPECT_EQ(ca.enrol(enroll, body, &client).status, 200) << chain.size();
    }
}

TEST_F(Est, BadBodiesAndRequestsAreNamed) {
    const auto key = new_key();
    const auto der = *est::read_body(request({.common_name = "line-3-a"}, key));
    const auto changed = [&](auto change) {
        auto bytes = der;
        change(bytes);
        return base::to_base64(bytes);
    };
    struct Row {
        std::string body, id;
        int status;
    };
    const auto before = ca.issued_count();
    for (const auto& row : std::vector<Row>{
             {"\n", "body.empty", 400},
             {"not base64!", "body.base64", 400},
             {base::to_base64(der).substr(3), "body.base64", 400},
             {std::string(base::as_text(der)), "body.base64", 400},
             {base::to_base64(pki::random_bytes(300)), "csr.der", 400},
             {changed([](auto& bytes) { bytes.resize(bytes.size() / 2); }), "csr.der", 400},
             {changed([](auto& bytes) { bytes.push_back(std::byte{0}); }), "csr.der", 400},
             {base::to_base64(ca.root().der()), "csr.der", 400},
             {changed([](auto& bytes) { bytes.back() ^= std::byte{1}; }), "csr.signature", 400},
         })
        refused(ca.enrol(enroll, row.body, nullptr, user), row.id, row.status);
    EXPECT_EQ(ca.issued_count(), before);
    EXPECT_GE(ca.audit_lines("\"csr.signature\""), 1);
}

TEST_F(Est, NamesThatPolicyDoesNotGiveAreRefused) {
    struct Row {
        pki::CsrWish wish;
        std::string id;
    };
    for (const auto& row : std::vector<Row>{
             {{.common_name = "line-4-a"}, "name.not_allowed"},
             {{.common_name = "line-3-"}, "name.not_allowed"},
             {{.common_name = "line-3-a", .names = {"DNS:other"}}, "name.san"},
             {{.common_name = "line-3-a", .names = {"DNS:*.plant.local"}}, "name.san"},
             {{.common_name = "line-3-a", .names = {"IP:10.0.0.2"}}, "name.san"},
             {{.common_name = "line-3-a", .usages = {"codeSigning"}}, "csr.extension"},
             {{.common_name = "line-3-a", .usages = {"clientAuth", "anyExtendedKeyUsage"}}, "csr.extension"},
             {{.common_name = "line-3-a", .ca = true}, "csr.extension"},
         })
        refused(ca.enrol(enroll, request(row.wish, new_key()), nullptr, user), row.id, 403);
    EXPECT_EQ(ca.enrol(enroll,
                       request({.common_name = "line-3-a",
                                .names = {"DNS:line-3-a.plant.local", "IP:10.0.0.1"},
                                .usages = {"serverAuth"}},
                               new_key()),
                       nullptr, user)
                  .status,
              200);
}

TEST_F(Est, KeysOfOthersAreRefused) {
    const auto lost = ca.issue(pki::Profile::device, "line-3-a");
    ASSERT_TRUE(
        ca.ledger().revoke(ca.ledger().find(lost.chain.front())->serial, ca::Reason::key_compromise, {}));
    refused(ca.enrol(enroll, request({.common_name = "line-3-a"}, lost.key), nullptr, user), "key.known",
            403);
    const auto device = ca.issue(pki::Profile::device, "dev9");
    refused(ca.enrol(enroll, request({.common_name = "line-3-a"}, device.key), nullptr, user), "key.known",
            403);
    refused(ca.enrol(enroll, request({.common_name = "line-3-a"}, ca.ledger().key()), nullptr, user),
            "key.known", 403);
}

TEST_F(Est, KeysAreMadeOnlyWhereTheProfileSaysSo) {
    refused(ca.enrol("/.well-known/est/serverkeygen", request({.common_name = "line-3-a"}, new_key()),
                     nullptr, user),
            "op.disabled", 403);
}

}  // namespace
