// SPDX-License-Identifier: Apache-2.0
#include "pki/certs_only.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pki/asn1.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"

namespace {

using testing::HasSubstr;

pki::Chain three() {
    static const support::TestPki made;
    static const auto leaf = support::make_identity({.common_name = "dev1"}, &made.intermediate);
    return {leaf.certificate, made.intermediate.certificate, made.root.certificate};
}

base::Bytes bytes_of(std::string_view base64) {
    return base::from_base64(base64).value();
}

TEST(CertsOnly, KeepsTheOrder) {
    auto chain = three();
    for (int turn = 0; turn < 3; ++turn) {
        const auto read = pki::read_certs_only(pki::certs_only(chain));
        ASSERT_TRUE(read) << read.error().text();
        EXPECT_EQ(*read, chain);
        std::rotate(chain.begin(), chain.begin() + 1, chain.end());
    }
}

TEST(CertsOnly, HasNoContentAndNoSigner) {
    EXPECT_EQ(base::to_base64(pki::certs_only({})), "MCMGCSqGSIb3DQEHAqAWMBQCAQExADALBgkqhkiG9w0BBwExAA==");
    const auto read = pki::read_certs_only(pki::certs_only({}));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->empty());
}

TEST(CertsOnly, IsReadByOpenssl) {
    const auto der = pki::certs_only(three());
    const std::string input(base::as_text(der));
    const auto listed =
        support::run({"openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout"}, {.input = input});
    EXPECT_EQ(listed.exit_code, 0) << listed.err;
    EXPECT_LT(listed.out.find("CN = dev1"), listed.out.find("subject=CN = my_private_root_CA"));
    const auto shown =
        support::run({"openssl", "cms", "-cmsout", "-print", "-inform", "DER"}, {.input = input});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("eContent: <ABSENT>"));
}

TEST(CertsOnly, TypeWithoutABodyIsRefused) {
    EXPECT_EQ(pki::read_certs_only(bytes_of("MAsGCSqGSIb3DQEHAg==")).error().code, base::Code::malformed);
}

TEST(CertsOnly, AnEmptyContentAndIndefiniteLengthsAreRead) {
    // As crl2pkcs7's sibling in OpenSSL's own API writes it, with content A0 02 04 00.
    const auto certificate = three().front();
    const auto body = pki::asn1::sequence(
        {pki::asn1::integer(1), pki::asn1::set({}),
         pki::asn1::sequence({pki::asn1::oid("1.2.840.113549.1.7.1"),
                              pki::asn1::value(pki::asn1::context(0), {bytes_of("BAA=")})}),
         pki::asn1::value(pki::asn1::context(0), certificate.der()), pki::asn1::set({})});
    const auto message = pki::asn1::sequence(
        {pki::asn1::oid("1.2.840.113549.1.7.2"), pki::asn1::value(pki::asn1::context(0), {body})});
    ASSERT_TRUE(pki::read_certs_only(message));
    EXPECT_EQ(pki::read_certs_only(message)->front(), certificate);

    base::Bytes ber = *base::from_hex("3080");
    const auto oid = pki::asn1::oid("1.2.840.113549.1.7.2");
    ber.insert(ber.end(), oid.begin(), oid.end());
    const auto open = *base::from_hex("a080");
    ber.insert(ber.end(), open.begin(), open.end());
    ber.insert(ber.end(), body.begin(), body.end());
    const auto close = *base::from_hex("00000000");
    ber.insert(ber.end(), close.begin(), close.end());
    const auto read = pki::read_certs_only(ber);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->size(), 1U);
}

TEST(CertsOnly, AnythingElseIsRefused) {
    auto der = pki::certs_only(three());
    for (std::size_t size = 0; size < der.size(); size += 7)
        EXPECT_FALSE(pki::read_certs_only(std::span(der).first(size))) << size;
    der.push_back(std::byte{0});
    EXPECT_FALSE(pki::read_certs_only(der));
    EXPECT_FALSE(pki::read_certs_only(three().front().der()));
    // The type `data`.
    EXPECT_FALSE(pki::read_certs_only(pki::asn1::sequence({pki::asn1::oid("1.2.840.113549.1.7.1")})));
}

TEST(Asn1, EncodesAsTheStandardSays) {
    EXPECT_EQ(base::to_hex(pki::asn1::oid("1.2.840.113549")), "06062a864886f70d");
    EXPECT_EQ(base::to_hex(pki::asn1::integer(0)), "020100");
    EXPECT_EQ(base::to_hex(pki::asn1::integer(127)), "02017f");
    EXPECT_EQ(base::to_hex(pki::asn1::integer(128)), "02020080");
    EXPECT_EQ(base::to_hex(pki::asn1::integer(65537)), "0203010001");
    const auto value = pki::asn1::value(4, base::Bytes(300));
    EXPECT_EQ(base::to_hex(std::span(value).first(4)), "0482012c");
}

}  // namespace
