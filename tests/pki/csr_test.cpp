// SPDX-License-Identifier: Apache-2.0
#include "pki/csr.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/file.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

using testing::HasSubstr;

const pki::PrivateKey& key() {
    static const auto made = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    return made;
}

base::Bytes der_of(const std::string& pem) {
    std::string body;
    for (const auto line : base::split(pem, '\n'))
        if (!line.starts_with("-----")) body += line;
    return base::from_base64(body).value();
}

/// A request made by openssl req with `arguments` behind "req -new -nodes -keyout /dev/null".
std::string openssl_request(std::vector<std::string> arguments, const std::string& config = "") {
    const support::TemporaryDirectory directory;
    std::vector<std::string> all{"openssl", "req", "-new", "-nodes", "-keyout", "/dev/null"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    if (!config.empty()) {
        EXPECT_TRUE(base::write_atomically(directory / "req.cnf", config, base::public_mode));
        all.insert(all.end(), {"-config", (directory / "req.cnf").string()});
    }
    const auto made = support::run(all);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return made.out;
}

const std::vector<std::string> p256{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"};

std::vector<std::string> with(std::vector<std::string> first, const std::vector<std::string>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
}

TEST(Csr, ReadsBackWhatItWrote) {
    const auto pem = pki::make_csr_pem({.common_name = "edgegateway.local",
                                        .names = {"DNS:edgegateway.local", "DNS:edgeHub", "IP:10.0.0.1"},
                                        .usages = {"serverAuth"}},
                                       key());
    ASSERT_TRUE(pem);
    const auto csr = pki::csr_from_pem(*pem);
    ASSERT_TRUE(csr) << csr.error().text();
    EXPECT_EQ(csr->common_name, "edgegateway.local");
    EXPECT_EQ(csr->subject, "CN=edgegateway.local");
    EXPECT_EQ(csr->names, (std::vector<std::string>{"DNS:edgegateway.local", "DNS:edgeHub", "IP:10.0.0.1"}));
    EXPECT_EQ(csr->usages, std::vector<std::string>{"serverAuth"});
    EXPECT_FALSE(csr->asks_ca);
    EXPECT_FALSE(csr->asks_cert_sign);
    EXPECT_TRUE(csr->key == key().public_key());
    EXPECT_TRUE(pki::csr_from_der(der_of(*pem)));
}

TEST(Csr, OpensslAcceptsWhatWeWrite) {
    const auto pem = pki::make_csr_pem({.common_name = "edge", .ca = true}, key());
    const auto shown = support::run({"openssl", "req", "-verify", "-noout", "-text"}, {.input = pem.value()});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("CA:TRUE, pathlen:0"));
    EXPECT_THAT(shown.out, HasSubstr("Digital Signature, Certificate Sign"));
    const auto csr = pki::csr_from_pem(*pem);
    EXPECT_TRUE(csr->asks_ca);
    EXPECT_TRUE(csr->asks_cert_sign);
}

TEST(Csr, ReadsWhatOpensslWrites) {
    const auto pem =
        openssl_request(with(p256, {"-subj", "/O=Contoso/CN=TempSensor", "-addext",
                                    "subjectAltName=DNS:a.example,URI:urn:x:y,email:a@b.example"}));
    const auto csr = pki::csr_from_pem("Certificate Request:\n" + pem + "behind\n");
    ASSERT_TRUE(csr) << csr.error().text();
    EXPECT_EQ(csr->common_name, "TempSensor");
    EXPECT_EQ(csr->subject, "CN=TempSensor,O=Contoso");
    EXPECT_EQ(csr->names, (std::vector<std::string>{"DNS:a.example", "URI:urn:x:y", "email:a@b.example"}));
}

TEST(Csr, AcceptsTheOldPemLabel) {
    auto pem = pki::make_csr_pem({.common_name = "x"}, key()).value();
    for (const std::string mark : {"BEGIN ", "END "}) pem.insert(pem.find(mark) + mark.size(), "NEW ");
    EXPECT_TRUE(pki::csr_from_pem(pem));
}

TEST(Csr, RefusesAFlippedBitAnywhere) {
    const auto der = der_of(pki::make_csr_pem({.common_name = "x", .names = {"DNS:x"}}, key()).value());
    for (std::size_t at = 0; at < der.size(); ++at) {
        auto broken = der;
        broken[at] ^= std::byte{1};
        EXPECT_FALSE(pki::csr_from_der(broken)) << "byte " << at;
    }
}

TEST(Csr, RefusesEveryTruncationAndAnythingBehind) {
    auto der = der_of(pki::make_csr_pem({.common_name = "x"}, key()).value());
    for (std::size_t size = 0; size < der.size(); ++size) {
        const auto csr = pki::csr_from_der(std::span(der).first(size));
        ASSERT_FALSE(csr);
        EXPECT_EQ(csr.error().code, base::Code::malformed);
    }
    der.push_back(std::byte{0});
    EXPECT_THAT(pki::csr_from_der(der).error().text(), HasSubstr("1 bytes behind its end"));
}

TEST(Csr, RefusesWeakKeys) {
    const auto rsa = pki::csr_from_pem(openssl_request({"-newkey", "rsa:1024", "-subj", "/CN=x"}));
    EXPECT_THAT(rsa.error().text(), HasSubstr("RSA key of 1024 bits"));
    const auto curve = pki::csr_from_pem(
        openssl_request({"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-subj", "/CN=x"}));
    EXPECT_THAT(curve.error().text(), HasSubstr("on the curve secp256k1"));
    const auto edwards = pki::csr_from_pem(openssl_request({"-newkey", "ed25519", "-subj", "/CN=x"}));
    EXPECT_THAT(edwards.error().text(), HasSubstr("ED25519"));
}

TEST(Csr, RefusesExplicitCurveParameters) {
    const auto csr = pki::csr_from_pem(
        openssl_request(with(p256, {"-pkeyopt", "ec_param_enc:explicit", "-subj", "/CN=x"})));
    EXPECT_THAT(csr.error().text(), HasSubstr("explicit curve parameters"));
}

TEST(Csr, RefusesWeakDigests) {
    const auto sha1 = pki::csr_from_pem(openssl_request(with(p256, {"-sha1", "-subj", "/CN=x"})));
    EXPECT_THAT(sha1.error().text(), HasSubstr("is signed with sha1"));
    const auto pss = pki::csr_from_pem(openssl_request(
        {"-newkey", "rsa:2048", "-sha1", "-sigopt", "rsa_padding_mode:pss", "-subj", "/CN=x"}));
    EXPECT_THAT(pss.error().text(), HasSubstr("is signed with sha1"));
    const auto good = pki::csr_from_pem(openssl_request(
        {"-newkey", "rsa:2048", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-subj", "/CN=x"}));
    EXPECT_TRUE(good) << good.error().text();
}

TEST(Csr, RefusesTwoCommonNames) {
    const auto csr =
        pki::csr_from_pem(openssl_request(with(p256, {"-subj", "/CN=TempSensor/CN=EdgeGateway"})));
    EXPECT_THAT(csr.error().text(), HasSubstr("more than one common name"));
}

TEST(Csr, RefusesTheSameExtensionTwice) {
    const auto csr = pki::csr_from_pem(openssl_request(p256, R"([req]
distinguished_name = dn
prompt = no
req_extensions = ext
[dn]
CN = x
[ext]
subjectAltName = DNS:a.example
2.5.29.17 = DER:300b8209622e6578616d706c65
)"));
    ASSERT_FALSE(csr);
    EXPECT_THAT(csr.error().text(), HasSubstr("extension twice"));
}

TEST(Csr, RefusesAnExtensionThatDoesNotParse) {
    const auto csr =
        pki::csr_from_pem(openssl_request(with(p256, {"-subj", "/CN=x", "-addext", "2.5.29.17=DER:3001"})));
    ASSERT_FALSE(csr);
    EXPECT_EQ(csr.error().code, base::Code::malformed);
}

TEST(Csr, RefusesANameWithNul) {
    // SEQUENCE { [2] "a.b\0.c" }
    const auto csr = pki::csr_from_pem(
        openssl_request(with(p256, {"-subj", "/CN=x", "-addext", "2.5.29.17=DER:30088206612e62002e63"})));
    EXPECT_THAT(csr.error().text(), HasSubstr("NUL"));
}

TEST(Csr, RefusesWhatIsNoRequest) {
    EXPECT_THAT(pki::csr_from_pem("", "file x").error().text(),
                HasSubstr("file x is not a PEM certificate request"));
    const auto one = pki::make_csr_pem({.common_name = "x"}, key()).value();
    EXPECT_THAT(pki::csr_from_pem(one + one).error().text(), HasSubstr("more than one request"));
    EXPECT_EQ(pki::csr_from_pem(std::string(70'000, 'x')).error().code, base::Code::too_large);
    EXPECT_EQ(pki::csr_from_der(base::Bytes(70'000)).error().code, base::Code::too_large);
}

TEST(Csr, IsNotMadeForABadName) {
    EXPECT_FALSE(pki::make_csr_pem({.common_name = ""}, key()));
    EXPECT_FALSE(pki::make_csr_pem({.common_name = "x", .names = {"DNS:a_b"}}, key()));
    EXPECT_FALSE(pki::make_csr_pem({.common_name = "x", .usages = {"noSuchUsage"}}, key()));
}

std::string fault_of(const std::string& pem) {
    const auto csr = pki::examine_csr(der_of(pem));
    return csr ? "accepted" : std::string(csr.error().id);
}

TEST(CsrFault, HasTheReasonIdOfTheFirstFault) {
    const auto subject = std::vector<std::string>{"-subj", "/CN=x"};
    const std::string twice_attributes = R"([req]
distinguished_name = dn
prompt = no
attributes = attributes
[dn]
CN = x
[attributes]
challengePassword = secret
)";
    EXPECT_EQ(fault_of(openssl_request(with(p256, subject))), "accepted");
    EXPECT_EQ(fault_of(openssl_request({"-newkey", "rsa:1024", "-subj", "/CN=x"})), "key.weak");
    EXPECT_EQ(fault_of(openssl_request(
                  {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-subj", "/CN=x"})),
              "key.type");
    EXPECT_EQ(fault_of(openssl_request({"-newkey", "ed25519", "-subj", "/CN=x"})), "key.type");
    EXPECT_EQ(fault_of(openssl_request(with(p256, {"-pkeyopt", "ec_param_enc:explicit", "-subj", "/CN=x"}))),
              "key.type");
    // The digest comes before the key.
    EXPECT_EQ(fault_of(openssl_request({"-newkey", "rsa:1024", "-md5", "-subj", "/CN=x"})),
              "csr.weak_digest");
    EXPECT_EQ(fault_of(openssl_request(with(p256, {"-sha1", "-subj", "/CN=x"}))), "csr.weak_digest");
    EXPECT_EQ(fault_of(openssl_request(with(p256, {"-subj", "/CN=x/CN=y"}))), "name.subject");
    EXPECT_EQ(fault_of(openssl_request(with(p256, {"-subj", "/CN=x", "-addext", "2.5.29.17=DER:3001"}))),
              "csr.extension_der");
    const auto csr = pki::examine_csr(der_of(openssl_request(p256, twice_attributes)));
    ASSERT_TRUE(csr) << csr.error().error.text();
    EXPECT_EQ(csr->challenge, "secret");
    EXPECT_EQ(csr->attributes, std::vector<std::string>{"1.2.840.113549.1.9.7"});
}

TEST(CsrFault, ABrokenSignatureComesBeforeAWeakKey) {
    auto der = der_of(openssl_request({"-newkey", "rsa:1024", "-sha1", "-subj", "/CN=x"}));
    der.back() ^= std::byte{1};
    EXPECT_EQ(pki::examine_csr(der).error().id, "csr.signature");
    const auto ignored = pki::examine_csr(der, pki::CsrKey::ignored);
    EXPECT_TRUE(ignored) << "the server makes the key";
}

TEST(CsrFault, WhatAsksForPowerIsTold) {
    const auto powers = [](const std::string& extension) {
        const auto csr =
            pki::examine_csr(der_of(openssl_request(with(p256, {"-subj", "/CN=x", "-addext", extension}))));
        EXPECT_TRUE(csr) << extension << ": " << (csr ? "" : csr.error().error.text());
        return csr ? csr->powers.size() : 0;
    };
    EXPECT_EQ(powers("extendedKeyUsage=clientAuth,serverAuth"), 0U);
    EXPECT_EQ(powers("extendedKeyUsage=OCSPSigning,codeSigning"), 2U);
    EXPECT_EQ(powers("extendedKeyUsage=anyExtendedKeyUsage"), 1U);
    EXPECT_EQ(powers("certificatePolicies=1.2.3.4"), 1U);
    EXPECT_EQ(powers("nameConstraints=permitted;DNS:a"), 1U);
    EXPECT_EQ(powers("1.2.3.4=critical,DER:0500"), 1U);
    EXPECT_EQ(powers("1.2.3.4=DER:0500"), 0U);
    EXPECT_EQ(powers("nsComment=x"), 0U);
    EXPECT_EQ(powers("subjectAltName=DNS:a"), 0U);
}

TEST(CsrFault, BerIsNoDer) {
    const auto der = der_of(pki::make_csr_pem({.common_name = "x"}, key()).value());
    // The outermost SEQUENCE with an indefinite length.
    const std::size_t header = (std::to_integer<unsigned>(der[1]) & 0x80U) != 0
                                   ? 2 + (std::to_integer<unsigned>(der[1]) & 0x7fU)
                                   : 2;
    base::Bytes ber{std::byte{0x30}, std::byte{0x80}};
    ber.insert(ber.end(), der.begin() + static_cast<std::ptrdiff_t>(header), der.end());
    ber.insert(ber.end(), 2, std::byte{0});
    EXPECT_EQ(pki::examine_csr(ber).error().id, "csr.der");
    // A thousand SEQUENCEs in one another.
    base::Bytes deep;
    for (int i = 0; i < 1000; ++i) deep.insert(deep.end(), {std::byte{0x30}, std::byte{0x80}});
    EXPECT_EQ(pki::examine_csr(deep).error().id, "csr.der");
    EXPECT_EQ(pki::examine_csr({}).error().id, "csr.der");
}

}  // namespace
