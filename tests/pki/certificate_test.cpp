// SPDX-License-Identifier: Apache-2.0
#include "pki/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "openssl_program.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"

namespace {

using support::make_identity;
using support::run;
using testing::ElementsAre;
using testing::HasSubstr;

/// A self-signed certificate of OpenSSL's making.
std::string openssl_certificate(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"openssl", "req",      "-x509",    "-nodes",
                                       "-newkey", "ec",       "-pkeyopt", "ec_paramgen_curve:P-256",
                                       "-keyout", "/dev/null"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto made = run(arguments);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return made.out;
}

const support::Identity& device() {
    static const auto made = make_identity({.names = {"DNS:TempSensor"}});
    return made;
}

TEST(Certificate, ReadsWhatOpensslMade) {
    const auto pem = openssl_certificate({"-utf8", "-subj", "/O=Contoso/CN=first/CN=M\xc3\xbcller",
                                          "-set_serial", "0xab12", "-days", "10", "-addext",
                                          "subjectAltName=DNS:a.example,IP:10.0.0.1,IP:2001:db8::1,URI:urn:a:"
                                          "b,email:a@b.example,otherName:1.2.3;UTF8:x",
                                          "-addext", "extendedKeyUsage=serverAuth,1.2.3.4", "-addext",
                                          "basicConstraints=CA:FALSE"});
    const auto read = pki::Certificate::from_pem("text before\n" + pem + "text behind\n");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->subject(), "CN=M\xc3\xbcller,CN=first,O=Contoso");
    EXPECT_EQ(read->subject(), read->issuer());
    EXPECT_TRUE(read->is_self_issued());
    EXPECT_THAT(read->common_names(), ElementsAre("first", "M\xc3\xbcller"));
    EXPECT_EQ(read->common_name(), "M\xc3\xbcller");
    EXPECT_THAT(read->subject_alternative_names(),
                ElementsAre("DNS:a.example", "IP:10.0.0.1", "IP:2001:db8:0:0:0:0:0:1", "URI:urn:a:b",
                            "email:a@b.example", "other"));
    EXPECT_EQ(read->serial_hex(), "AB12");
    EXPECT_THAT(read->extended_key_usage().value(), ElementsAre("serverAuth", "1.2.3.4"));
    EXPECT_EQ(read->not_after() - read->not_before(), std::chrono::days{10});
    EXPECT_EQ(read->key_description(), "EC P-256");
}

TEST(Certificate, AbsentExtensionsAreAbsent) {
    const auto root = make_identity({.profile = pki::Profile::root, .common_name = "root"});
    EXPECT_FALSE(root.certificate.extended_key_usage());
    EXPECT_TRUE(root.certificate.subject_alternative_names().empty());
    EXPECT_TRUE(root.certificate.is_ca());
    EXPECT_FALSE(device().certificate.is_ca());
}

TEST(Certificate, ThumbprintsAreOpenssls) {
    const auto& certificate = device().certificate;
    const auto theirs = [&](const std::string& digest) {
        const auto line = openssl({"x509", "-noout", "-fingerprint", "-" + digest}, certificate.pem());
        return std::string(base::trim(line.substr(line.find('=') + 1)));
    };
    EXPECT_EQ(pki::with_colons(certificate.sha256()), theirs("sha256"));
    EXPECT_EQ(pki::with_colons(certificate.sha1()), theirs("sha1"));
    EXPECT_EQ(pki::with_colons({}), "");
}

TEST(Certificate, GivesItsBytesBackInBothForms) {
    const auto& certificate = device().certificate;
    EXPECT_TRUE(pki::Certificate::from_pem(certificate.pem()).value() == certificate);
    EXPECT_TRUE(pki::Certificate::from_der(certificate.der()).value() == certificate);
    EXPECT_TRUE(pki::Certificate::read(certificate.der()).value() == certificate);
    EXPECT_TRUE(pki::Certificate::read(base::as_bytes(certificate.pem())).value() == certificate);
    EXPECT_TRUE(pki::Certificate::share(certificate.handle()) == certificate);
}

TEST(Certificate, RefusesTruncationAndBytesBehind) {
    auto der = device().certificate.der();
    for (std::size_t size = 0; size < der.size(); ++size) {
        const auto cut = pki::Certificate::from_der(std::span(der).first(size), "file x");
        ASSERT_FALSE(cut);
        EXPECT_EQ(cut.error().code, base::Code::malformed);
        EXPECT_EQ(cut.error().thing, "file x");
    }
    der.push_back(std::byte{0});
    EXPECT_THAT(pki::Certificate::from_der(der).error().text(), HasSubstr("1 bytes behind its end"));
    // Inside the armour too.
    const auto pem = "-----BEGIN CERTIFICATE-----\n" + base::to_base64(der) + "\n-----END CERTIFICATE-----\n";
    EXPECT_THAT(pki::Certificate::from_pem(pem).error().text(), HasSubstr("behind its end"));
}

TEST(Certificate, SurvivesEveryFlippedByte) {
    const auto& der = device().certificate.der();
    for (std::size_t at = 0; at < der.size(); ++at) {
        auto broken = der;
        broken[at] ^= std::byte{0xff};
        if (const auto read = pki::Certificate::from_der(broken)) {
            (void)read->subject();
            (void)read->subject_alternative_names();
            (void)read->extended_key_usage();
            (void)read->key_description();
            EXPECT_FALSE(*read == device().certificate);
        }
    }
}

TEST(Certificate, NeverAsksForAPassphrase) {
    auto pem = device().certificate.pem();
    pem.insert(pem.find('\n') + 1,
               "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n");
    EXPECT_EQ(pki::Certificate::from_pem(pem).error().code, base::Code::malformed);
}

TEST(Certificate, WithADateThatIsNoneIsNeverValid) {
    auto der = device().certificate.der();
    const auto text = base::as_text(der);
    // test_time() minus five minutes as UTCTime.
    const auto at = text.find("261125095500Z");
    ASSERT_NE(at, std::string_view::npos);
    der[at + 2] = std::byte{'9'};
    const auto broken = pki::Certificate::from_der(der);
    ASSERT_TRUE(broken) << broken.error().text();
    EXPECT_GT(broken->not_before(), support::test_time() + std::chrono::days{365'000});
}

TEST(Chain, KeepsTheOrderOfTheFile) {
    const support::TestPki pki;
    const pki::Chain chain{device().certificate, pki.intermediate.certificate, pki.root.certificate};
    const auto read = pki::certificates_from_pem("subject=x\n" + pki::to_pem(chain), "file x");
    ASSERT_TRUE(read);
    EXPECT_TRUE(*read == chain);
}

TEST(Chain, NamesTheBlockThatDoesNotParse) {
    const auto good = device().certificate.pem();
    const auto broken = good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    EXPECT_THAT(pki::certificates_from_pem(broken, "file x").error().text(),
                HasSubstr("file x, certificate 2"));
    const auto cut = good + good.substr(0, good.size() / 2);
    EXPECT_THAT(pki::certificates_from_pem(cut, "file x").error().text(),
                HasSubstr("certificate 2 has no end mark"));
    EXPECT_FALSE(pki::certificates_from_pem(good + "-----BEGIN CERT", "file x"));
}

TEST(Chain, RefusesKeysForeignTrustTooManyAndNone) {
    const auto pem = device().certificate.pem();
    const auto key = device().key.pem().value();
    const auto with_key = pki::certificates_from_pem(pem + std::string(key.text()), "file x");
    EXPECT_THAT(with_key.error().text(), HasSubstr("holds a private key"));
    EXPECT_THAT(with_key.error().text(), testing::Not(HasSubstr("BEGIN PRIVATE")));
    auto trusted = pem;
    for (const std::string mark : {"BEGIN ", "END "})
        trusted.insert(trusted.find(mark) + mark.size(), "TRUSTED ");
    EXPECT_THAT(pki::certificates_from_pem(trusted, "file x").error().text(), HasSubstr("trust settings"));
    EXPECT_EQ(pki::certificates_from_pem(pem + pem + pem, "file x", 2).error().code, base::Code::too_large);
    EXPECT_THAT(pki::certificates_from_pem("nothing", "file x").error().text(),
                HasSubstr("file x holds no PEM certificate"));
    EXPECT_FALSE(pki::certificates_from_pem("", "file x"));
}

}  // namespace
