// SPDX-License-Identifier: Apache-2.0
#include "pki/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "base/file.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

using pki::Profile;
using std::chrono::days;
using support::Identity;
using support::make_identity;
using support::TestPki;
using testing::HasSubstr;
using testing::Not;

std::string openssl_text(const pki::Certificate& certificate) {
    const auto shown = support::run({"openssl", "x509", "-noout", "-text"}, {.input = certificate.pem()});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    return shown.out;
}

base::Result<pki::Certificate> try_issue(pki::IssueInput input, const Identity* issuer,
                                         base::Instant now = support::test_time()) {
    static const auto own = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    return issuer ? pki::issue(input, &issuer->certificate, issuer->key, now)
                  : pki::issue(input, nullptr, own, now);
}

pki::PublicKey some_key() {
    static const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    return key.public_key();
}

// One row a profile: what interfaces.md 3 says, in the words of `openssl x509 -text`.
struct Row {
    Profile profile;
    std::vector<std::string> names;
    std::string basic;
    std::string usage;
    std::string extended;  // empty: the extension is absent
    days lifetime;
};

class Profiles : public testing::TestWithParam<Row> {};

TEST_P(Profiles, HasTheFieldsThatOpensslReadsBack) {
    const auto& row = GetParam();
    const TestPki pki;
    const auto self = row.profile == Profile::root;
    const auto made = make_identity({.profile = row.profile, .common_name = "TempSensor", .names = row.names},
                                    self ? nullptr : &pki.intermediate);
    const auto text = openssl_text(made.certificate);
    EXPECT_THAT(text, HasSubstr("Version: 3 (0x2)"));
    EXPECT_THAT(text, HasSubstr("Signature Algorithm: ecdsa-with-SHA256"));
    EXPECT_THAT(text, HasSubstr("X509v3 Basic Constraints: critical\n                " + row.basic + "\n"));
    EXPECT_THAT(text, HasSubstr("X509v3 Key Usage: critical\n                " + row.usage + "\n"));
    if (row.extended.empty())
        EXPECT_THAT(text, Not(HasSubstr("Extended Key Usage")));
    else
        EXPECT_THAT(text, HasSubstr("X509v3 Extended Key Usage: \n                " + row.extended + "\n"));
    if (row.names.empty())
        EXPECT_THAT(text, Not(HasSubstr("Alternative Name")));
    else
        EXPECT_THAT(text,
                    HasSubstr("X509v3 Subject Alternative Name: \n                DNS:edgegateway.local"));
    EXPECT_THAT(text, HasSubstr("X509v3 Subject Key Identifier"));
    if (self)
        EXPECT_THAT(text, Not(HasSubstr("Authority Key Identifier")));
    else
        EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));

    const auto& certificate = made.certificate;
    EXPECT_EQ(certificate.common_name(), "TempSensor");
    EXPECT_EQ(certificate.subject_alternative_names(), row.names);
    EXPECT_EQ(certificate.not_before(), std::max(support::test_time() - std::chrono::minutes{5},
                                                 pki.intermediate.certificate.not_before()));
    EXPECT_EQ(certificate.not_after(), support::test_time() + row.lifetime);
    EXPECT_EQ(certificate.serial_hex().size(), 32U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Profiles,
    testing::Values(
        Row{Profile::root, {}, "CA:TRUE", "Certificate Sign, CRL Sign", "", days{7305}},
        Row{Profile::intermediate, {}, "CA:TRUE", "Certificate Sign, CRL Sign", "", days{3652}},
        Row{Profile::edge_ca,
            {},
            "CA:TRUE, pathlen:0",
            "Digital Signature, Certificate Sign, CRL Sign",
            "",
            days{90}},
        Row{Profile::server,
            {"DNS:edgegateway.local"},
            "CA:FALSE",
            "Digital Signature",
            "TLS Web Server Authentication",
            days{90}},
        Row{Profile::device, {}, "CA:FALSE", "Digital Signature", "TLS Web Client Authentication", days{90}},
        Row{Profile::client,
            {"DNS:edgegateway.local"},
            "CA:FALSE",
            "Digital Signature",
            "TLS Web Client Authentication",
            days{30}},
        Row{Profile::est_identity,
            {},
            "CA:FALSE",
            "Digital Signature",
            "TLS Web Client Authentication",
            days{30}},
        Row{Profile::bootstrap,
            {},
            "CA:FALSE",
            "Digital Signature",
            "TLS Web Client Authentication",
            days{730}}),
    [](const auto& row) {
        std::string name(pki::to_string(row.param.profile));
        std::erase(name, '-');
        return name;
    });

TEST(Profile, ParsesItsOwnNames) {
    EXPECT_EQ(pki::profile_names().size(), 9U);
    for (const auto& name : pki::profile_names())
        EXPECT_EQ(pki::to_string(pki::parse_profile(name).value()), name);
    EXPECT_FALSE(pki::parse_profile("Server"));
}

TEST(Profile, ArticleChainIsVerifiedByOpenssl) {
    const TestPki pki;
    const auto edge = make_identity(
        {.profile = Profile::edge_ca, .common_name = "iotedged workload ca edgegateway"}, &pki.intermediate);
    const auto server = make_identity(
        {.profile = Profile::server, .common_name = "edgegateway.local", .names = {"DNS:edgegateway.local"}},
        &edge);
    const support::TemporaryDirectory directory;
    const auto put = [&](const char* name, const std::string& text) {
        EXPECT_TRUE(base::write_atomically(directory / name, text, base::public_mode));
        return (directory / name).string();
    };
    const auto verified = support::run(
        {"openssl", "verify", "-x509_strict", "-attime",
         std::to_string(support::test_time().time_since_epoch().count()), "-purpose", "sslserver",
         "-verify_hostname", "edgegateway.local", "-CAfile", put("root.pem", pki.root.certificate.pem()),
         "-untrusted", put("issuers.pem", edge.certificate.pem() + pki.intermediate.certificate.pem()),
         put("leaf.pem", server.certificate.pem())});
    EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
}

TEST(Profile, EdgeCaCannotIssueCa) {
    const TestPki pki;
    const auto edge = make_identity({.profile = Profile::edge_ca, .common_name = "edge"}, &pki.intermediate);
    for (const auto profile : {Profile::edge_ca, Profile::intermediate}) {
        const auto made = try_issue({.profile = profile, .key = some_key(), .common_name = "below"}, &edge);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, base::Code::invalid_argument);
        EXPECT_THAT(made.error().text(), HasSubstr("path length is 0"));
    }
}

TEST(Profile, IntermediateTakesOneLessThanItsIssuer) {
    const auto root = make_identity({.profile = Profile::root, .common_name = "root", .path_length = 2});
    const auto below = make_identity({.profile = Profile::intermediate, .common_name = "a"}, &root);
    EXPECT_THAT(openssl_text(below.certificate), HasSubstr("CA:TRUE, pathlen:1"));
    const auto too_long = try_issue(
        {.profile = Profile::intermediate, .key = some_key(), .common_name = "b", .path_length = 1}, &below);
    ASSERT_FALSE(too_long);
    EXPECT_THAT(too_long.error().text(), HasSubstr("path length 1"));
}

TEST(Profile, NeverOutlivesItsIssuer) {
    const auto root = make_identity({.profile = Profile::root, .common_name = "root", .lifetime = days{10}});
    const auto leaf = make_identity({.lifetime = days{365}}, &root);
    EXPECT_EQ(leaf.certificate.not_after(), root.certificate.not_after());
    EXPECT_GE(leaf.certificate.not_before(), root.certificate.not_before());
}

TEST(Profile, RefusesIssuerThatIsNoCaOrNotValidOrNotItsKey) {
    const TestPki pki;
    const auto leaf = make_identity({}, &pki.root);
    const pki::IssueInput input{.profile = Profile::device, .key = some_key(), .common_name = "TempSensor"};
    EXPECT_THAT(try_issue(input, &leaf).error().text(), HasSubstr("is no CA certificate"));
    EXPECT_THAT(try_issue(input, &pki.root, pki.root.certificate.not_after()).error().text(),
                HasSubstr("has expired"));
    EXPECT_THAT(try_issue(input, &pki.root, pki.root.certificate.not_before() - days{1}).error().text(),
                HasSubstr("is not valid before"));
    const auto stranger =
        pki::issue(input, &pki.root.certificate, pki.intermediate.key, support::test_time());
    EXPECT_THAT(stranger.error().text(), HasSubstr("does not belong to the key"));
    const auto not_own = pki::issue(input, nullptr, pki.root.key, support::test_time());
    EXPECT_THAT(not_own.error().text(), HasSubstr("a key that is not its own"));
}

TEST(Profile, ServerNeedsSanAndCaTakesNone) {
    const TestPki pki;
    const auto server =
        try_issue({.profile = Profile::server, .key = some_key(), .common_name = "x"}, &pki.root);
    EXPECT_THAT(server.error().text(), HasSubstr("needs a subject alternative name"));
    const auto ca = try_issue(
        {.profile = Profile::edge_ca, .key = some_key(), .common_name = "x", .names = {"DNS:x"}}, &pki.root);
    EXPECT_THAT(ca.error().text(), HasSubstr("takes no subject alternative name"));
}

TEST(Profile, ClientAuthIsForServersThatAsk) {
    const TestPki pki;
    const auto both = make_identity(
        {.profile = Profile::server, .common_name = "x", .names = {"DNS:x"}, .client_auth = true}, &pki.root);
    EXPECT_EQ(both.certificate.extended_key_usage().value(),
              (std::vector<std::string>{"serverAuth", "clientAuth"}));
    const auto edge = try_issue(
        {.profile = Profile::edge_ca, .key = some_key(), .common_name = "x", .client_auth = true}, &pki.root);
    EXPECT_THAT(edge.error().text(), HasSubstr("client_auth"));
}

TEST(Profile, WildcardIsForServersAlone) {
    const TestPki pki;
    EXPECT_TRUE(try_issue(
        {.profile = Profile::server, .key = some_key(), .common_name = "x", .names = {"DNS:*.contoso.com"}},
        &pki.root));
    const auto device = try_issue(
        {.profile = Profile::device, .key = some_key(), .common_name = "x", .names = {"DNS:*.contoso.com"}},
        &pki.root);
    EXPECT_THAT(device.error().text(), HasSubstr("only a server certificate"));
}

TEST(Profile, RsaServerAlsoEnciphersKeys) {
    const TestPki pki;
    const auto server =
        make_identity({.profile = Profile::server,
                       .common_name = "x",
                       .names = {"DNS:x", "IP:127.0.0.2", "IP:fe80::1", "URI:azureiot://hub/x"},
                       .key_type = pki::KeyType::rsa_2048},
                      &pki.root);
    const auto text = openssl_text(server.certificate);
    EXPECT_THAT(text, HasSubstr("Digital Signature, Key Encipherment"));
    EXPECT_THAT(
        text, HasSubstr("DNS:x, IP Address:127.0.0.2, IP Address:FE80:0:0:0:0:0:0:1, URI:azureiot://hub/x"));
}

TEST(Profile, AuthorityKeyIdentifierEqualsTheIssuersSubjectKeyIdentifier) {
    const TestPki pki;
    const auto line_after = [](const std::string& text, const std::string& title) {
        const auto at = text.find('\n', text.find(title)) + 1;
        return text.substr(at, text.find('\n', at) - at);
    };
    const auto issuer = line_after(openssl_text(pki.root.certificate), "Subject Key Identifier");
    EXPECT_EQ(line_after(openssl_text(pki.intermediate.certificate), "Authority Key Identifier"), issuer);
    EXPECT_GT(issuer.size(), 59U);
}

TEST(Profile, SerialsArePositiveAndDiffer) {
    const TestPki pki;
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const auto made =
            try_issue({.profile = Profile::device, .key = some_key(), .common_name = "x"}, &pki.root);
        const auto serial = made.value().serial_hex();
        EXPECT_EQ(serial.size(), 32U);
        EXPECT_LT(serial.front(), '8');
        EXPECT_TRUE(seen.insert(serial).second);
    }
}

TEST(Profile, WritesYearsFrom2050AsGeneralizedTime) {
    const auto root = make_identity({.profile = Profile::root,
                                     .common_name = "root",
                                     .now = *base::parse_rfc3339("2040-01-01T00:00:00Z")});
    EXPECT_EQ(base::format_rfc3339(root.certificate.not_after()), "2060-01-01T00:00:00Z");
    EXPECT_THAT(openssl_text(root.certificate), HasSubstr("Not After : Jan  1 00:00:00 2060 GMT"));
}

TEST(Profile, RefusesLifetimesThatAreNone) {
    const TestPki pki;
    for (const auto lifetime :
         {std::chrono::seconds{0}, std::chrono::seconds{-1}, std::chrono::seconds{days{100'000}}}) {
        const auto made = try_issue(
            {.profile = Profile::device, .key = some_key(), .common_name = "x", .lifetime = lifetime},
            &pki.root);
        EXPECT_EQ(made.error().code, base::Code::invalid_argument);
    }
}

TEST(Profile, TakesAWholeSubjectForRenewal) {
    const TestPki pki;
    const auto request = support::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                       "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj",
                                       "/O=Contoso/CN=TempSensor", "-outform", "PEM"});
    const auto old = pki::Certificate::from_pem(request.out);
    ASSERT_TRUE(old) << request.err;
    // SEQUENCE { SET { O=Contoso }, SET { CN=TempSensor } }
    const auto subject =
        base::from_hex("30273110300e060355040a0c07436f6e746f736f3113301106035504030c0a54656d7053656e736f72");
    const auto made =
        try_issue({.profile = Profile::device, .key = some_key(), .common_name = "", .subject_der = subject},
                  &pki.root);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(made->subject(), old->subject());
    const auto broken = try_issue(
        {.profile = Profile::device, .key = some_key(), .common_name = "x", .subject_der = base::Bytes(3)},
        &pki.root);
    EXPECT_FALSE(broken);
}

TEST(Profile, SelfSignedEdgeCaIsAQuickstart) {
    const auto edge =
        make_identity({.profile = Profile::edge_ca, .common_name = "iotedged workload ca edgegateway"});
    EXPECT_TRUE(edge.certificate.is_self_issued());
    EXPECT_THAT(openssl_text(edge.certificate), HasSubstr("CA:TRUE, pathlen:0"));
}

}  // namespace
