// SPDX-License-Identifier: Apache-2.0
#include "pki/crl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/file.hpp"
#include "forge.hpp"
#include "pki/checks.hpp"
#include "pki/verify.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using support::Identity;
using support::make_identity;
using support::test_time;
using support::TestPki;
using testing::HasSubstr;
using testing::Not;

pki::RevokedSerial revoked(const pki::Certificate& certificate, int reason = 1) {
    return {*pki::Serial::of(certificate), static_cast<std::uint8_t>(reason), test_time()};
}

struct Wish {
    std::vector<pki::RevokedSerial> revoked{};
    std::uint64_t number = 1;
    base::Instant at = test_time();
    std::chrono::seconds life = std::chrono::days(7);
};

base::Bytes make_der(const Identity& issuer, Wish wish = {}) {
    std::ranges::sort(wish.revoked, {}, &pki::RevokedSerial::serial);
    auto made = pki::make_crl({.issuer = issuer.certificate,
                               .key = issuer.key,
                               .number = wish.number,
                               .this_update = wish.at,
                               .next_update = wish.at + wish.life,
                               .revoked = wish.revoked});
    if (!made) throw std::runtime_error(made.error().text());
    return *made;
}

pki::Crl make(const Identity& issuer, Wish wish = {}) {
    return *pki::Crl::from_der(make_der(issuer, std::move(wish)));
}

std::string openssl_text(std::span<const std::byte> der) {
    const auto shown = support::run({"openssl", "crl", "-noout", "-text"}, {.input = pki::crl_to_pem(der)});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    return shown.out;
}

TEST(Crl, IsWhatOpensslReadsAndVerifies) {
    const TestPki pki;
    const auto device = make_identity({.common_name = "sensor"}, &pki.intermediate);
    const auto other = make_identity({.common_name = "other"}, &pki.intermediate);
    const auto der = make_der(
        pki.intermediate,
        {.revoked = {revoked(device.certificate, 1), revoked(other.certificate, 0)}, .number = 4711});
    const auto text = openssl_text(der);
    EXPECT_THAT(text, HasSubstr("Version 2 (0x1)"));
    EXPECT_THAT(text, HasSubstr("Issuer: CN = my_optional_intermediate_CA"));
    EXPECT_THAT(text, HasSubstr("Key Compromise"));
    EXPECT_THAT(text, HasSubstr("4711"));
    EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
    EXPECT_THAT(text, HasSubstr(device.certificate.serial_hex()));
    EXPECT_THAT(text, HasSubstr(other.certificate.serial_hex()));
    EXPECT_THAT(text, Not(HasSubstr("Issuing Distribution Point")));
    // "unspecified" is left out.
    EXPECT_EQ(text.find("CRL Reason Code"), text.rfind("CRL Reason Code"));

    const support::TemporaryDirectory directory;
    const auto ca = directory.path() / "ca.pem";
    ASSERT_TRUE(base::write_atomically(ca, pki.intermediate.certificate.pem(), base::public_mode));
    const auto verified = support::run({"openssl", "crl", "-noout", "-verify", "-CAfile", ca.string()},
                                       {.input = pki::crl_to_pem(der)});
    EXPECT_THAT(verified.err, HasSubstr("verify OK"));
}

TEST(Crl, OfNobodyHasNoListAtAll) {
    const TestPki pki;
    const auto der = make_der(pki.root);
    EXPECT_THAT(openssl_text(der), HasSubstr("No Revoked Certificates"));
    const auto read = pki::Crl::from_der(der);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->size(), 0U);
    EXPECT_TRUE(read->check_issuer(pki.root.certificate));
}

TEST(Crl, EntriesHaveTheSizesOfRfc5280) {
    const TestPki pki;
    const auto device = make_identity({.common_name = "sensor"}, &pki.intermediate);
    const auto second = make_identity({.common_name = "second"}, &pki.intermediate);
    const auto size = [&](std::vector<pki::RevokedSerial> list) {
        return make(pki.intermediate, {.revoked = std::move(list)}).der().size();
    };
    // 35 octets without, 49 with a reason; ECDSA signatures differ by two octets.
    const auto without = size({revoked(device.certificate, 0), revoked(second.certificate, 0)}) -
                         size({revoked(device.certificate, 0)});
    const auto with = size({revoked(device.certificate, 0), revoked(second.certificate, 1)}) -
                      size({revoked(device.certificate, 0)});
    EXPECT_NEAR(static_cast<double>(without), 35, 3);
    EXPECT_NEAR(static_cast<double>(with), 49, 3);
}

TEST(Crl, ReadsBackWhatWasWritten) {
    const TestPki pki;
    const auto device = make_identity({.common_name = "sensor"}, &pki.intermediate);
    const auto good = make_identity({.common_name = "good"}, &pki.intermediate);
    const auto crl = make(pki.intermediate, {.revoked = {revoked(device.certificate, 4)}, .number = 0x123});
    EXPECT_EQ(crl.number(), "123");
    EXPECT_EQ(crl.this_update(), test_time());
    EXPECT_EQ(crl.next_update(), test_time() + std::chrono::days(7));
    EXPECT_EQ(crl.issuer(), "CN=my_optional_intermediate_CA");
    const auto* entry = crl.find(*pki::Serial::of(device.certificate));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->reason, 4);
    EXPECT_EQ(entry->at, test_time());
    EXPECT_EQ(crl.find(*pki::Serial::of(good.certificate)), nullptr);
    EXPECT_EQ(base::to_upper(entry->serial.hex()), device.certificate.serial_hex());
}

RC_GTEST_PROP(CrlProperty, AnyTableReadsBackAndIsFoundByItsSerials, (std::vector<std::uint64_t> numbers)) {
    static const TestPki pki;
    std::vector<pki::RevokedSerial> table;
    std::ranges::sort(numbers);
    numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
    std::erase(numbers, 0U);
    for (const auto number : numbers) {
        char hex[17];
        std::snprintf(hex, sizeof hex, "%lx", number);
        table.push_back({*pki::Serial::from_hex(hex), static_cast<std::uint8_t>(number % 7),
                         base::Instant{std::chrono::seconds{number % 4000000000}}});
    }
    const auto crl = make(pki.intermediate, {.revoked = table});
    RC_ASSERT(crl.size() == table.size());
    for (const auto& each : table) {
        const auto* found = crl.find(each.serial);
        RC_ASSERT(found != nullptr);
        RC_ASSERT(found->reason == each.reason);
        RC_ASSERT(found->at == each.at);
    }
    RC_ASSERT(crl.check_issuer(pki.intermediate.certificate).has_value());
}

TEST(Crl, IsRefusedWhereAnotherCaSignedIt) {
    const TestPki pki;
    const TestPki look_alike;
    const auto crl = make(pki.intermediate);
    EXPECT_TRUE(crl.check_issuer(pki.intermediate.certificate));
    EXPECT_TRUE(crl.check_issuer(pki.intermediate.certificate));  // remembered
    const auto forged = crl.check_issuer(look_alike.intermediate.certificate);
    ASSERT_FALSE(forged);
    EXPECT_THAT(forged.error().reason, HasSubstr("another key of that name"));
    const auto foreign = crl.check_issuer(pki.root.certificate);
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error().reason, HasSubstr("is not one of"));
}

TEST(Crl, IsRefusedWhereOneBitOfItIsOther) {
    const TestPki pki;
    const auto device = make_identity({.common_name = "sensor"}, &pki.intermediate);
    const auto der = make_der(pki.intermediate, {.revoked = {revoked(device.certificate)}});
    int parsed = 0;
    for (std::size_t at = 0; at < der.size(); ++at) {
        auto broken = der;
        broken[at] ^= std::byte{0x01};
        const auto crl = pki::Crl::from_der(broken);
        if (!crl) continue;
        ++parsed;
        EXPECT_FALSE(crl->check_issuer(pki.intermediate.certificate)) << "octet " << at;
    }
    EXPECT_GT(parsed, 50);
}

TEST(Crl, IsRefusedFromACaThatMayNotSignThem) {
    const auto ca = forge::make([] {
        auto wish = forge::ca("plain CA");
        for (auto& [name, value] : wish.extensions)
            if (name == "keyUsage") value = "critical,keyCertSign";
        return wish;
    }());
    const auto made = pki::make_crl({.issuer = ca.certificate,
                                     .key = ca.key,
                                     .number = 1,
                                     .this_update = test_time(),
                                     .next_update = test_time() + 1h,
                                     .revoked = {}});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().reason, HasSubstr("cRLSign"));
}

TEST(Crl, TableOutOfOrderOrWithAWrongReasonIsRefused) {
    const TestPki pki;
    const auto serial = [](const char* hex) { return *pki::Serial::from_hex(hex); };
    const auto refused = [&](std::vector<pki::RevokedSerial> table) {
        return !pki::make_crl({.issuer = pki.root.certificate,
                               .key = pki.root.key,
                               .number = 1,
                               .this_update = test_time(),
                               .next_update = test_time() + 1h,
                               .revoked = table})
                    .has_value();
    };
    EXPECT_TRUE(refused({{serial("2"), 0, test_time()}, {serial("1"), 0, test_time()}}));
    EXPECT_TRUE(refused({{serial("1"), 0, test_time()}, {serial("1"), 0, test_time()}}));
    EXPECT_TRUE(refused({{serial("1"), 7, test_time()}}));
    EXPECT_TRUE(refused({{serial("1"), 8, test_time()}}));
    EXPECT_TRUE(refused({{serial("1"), 11, test_time()}}));
    EXPECT_FALSE(refused({{serial("1"), 10, test_time()}}));
}

// Partitions and deltas say less than they seem to.
TEST(Crl, OfOpensslIsReadAndAPartitionIsNot) {
    const TestPki pki;
    const support::TemporaryDirectory directory;
    const auto in = [&](const char* name) { return (directory.path() / name).string(); };
    ASSERT_TRUE(base::write_atomically(in("ca.pem"), pki.root.certificate.pem(), base::public_mode));
    const auto key_pem = pki.root.key.pem();
    ASSERT_TRUE(base::write_atomically(in("ca.key"), key_pem->text(), base::secret_mode));
    ASSERT_TRUE(base::write_atomically(
        in("index.txt"), "R\t301125100000Z\t261125100000Z,keyCompromise\t1234\tunknown\t/CN=a\n",
        base::public_mode));
    ASSERT_TRUE(base::write_atomically(in("number"), "0A\n", base::public_mode));
    const std::string config =
        "[ca]\ndefault_ca=c\n[c]\ndatabase=" + in("index.txt") + "\ncrlnumber=" + in("number") +
        "\ndefault_md=sha256\ndefault_crl_days=7\n[whole]\nauthorityKeyIdentifier=keyid\n"
        "[part]\nissuingDistributionPoint=critical,@idp\n[idp]\n"
        "fullname=URI:http://ca/part.crl\n";
    ASSERT_TRUE(base::write_atomically(in("ca.cnf"), config, base::public_mode));
    const auto make_with = [&](const char* extensions) {
        const auto made =
            support::run({"openssl", "ca", "-gencrl", "-config", in("ca.cnf"), "-cert", in("ca.pem"),
                          "-keyfile", in("ca.key"), "-crlexts", extensions, "-out", in("out.crl")},
                         {});
        EXPECT_EQ(made.exit_code, 0) << made.err;
        return *base::read_file(in("out.crl"), "CRL");
    };
    const auto whole = pki::Crl::read(base::as_bytes(make_with("whole")));
    ASSERT_TRUE(whole) << whole.error().text();
    EXPECT_TRUE(whole->check_issuer(pki.root.certificate));
    ASSERT_NE(whole->find(*pki::Serial::from_hex("1234")), nullptr);
    EXPECT_EQ(whole->find(*pki::Serial::from_hex("1234"))->reason, 1);
    EXPECT_EQ(whole->number(), "A");
    const auto part = pki::Crl::read(base::as_bytes(make_with("part")));
    ASSERT_FALSE(part);
    EXPECT_EQ(part.error().code, base::Code::unsupported);
}

// What `verify` makes of CRLs.
struct Judged {
    bool accepted;
    std::string outcome;
    std::string text;
};

class Revocation : public testing::Test {
  protected:
    Judged judge(std::vector<pki::Crl> crls, std::optional<std::chrono::seconds> max_age = {},
                 base::Instant now = test_time(), bool complete = true) const {
        const pki::CrlSet set(std::move(crls), complete);
        const pki::TrustBundle trust({pki_.root.certificate});
        const pki::Chain chain{device_.certificate, pki_.intermediate.certificate};
        const auto verdict = pki::verify({.chain = chain,
                                          .trust = trust,
                                          .purpose = pki::Purpose::client,
                                          .now = now,
                                          .crls = &set,
                                          .crl_max_age = max_age})
                                 .verdict;
        Judged judged{verdict.accepted(), "", pki::summary(verdict)};
        for (const auto& step : verdict.steps)
            if (step.check == pki::checks::path_revocation && step.link == 0) {
                judged.outcome = pki::to_string(step.outcome);
                judged.text = step.found;
            }
        return judged;
    }

    TestPki pki_;
    Identity device_ = make_identity({.common_name = "sensor"}, &pki_.intermediate);
};

TEST_F(Revocation, ListedLeafIsRefusedWithDateAndReason) {
    const auto judged = judge({make(pki_.intermediate, {.revoked = {revoked(device_.certificate)}})});
    EXPECT_FALSE(judged.accepted);
    EXPECT_THAT(judged.text, HasSubstr("revoked at 2026-11-25T10:00:00Z, keyCompromise"));
}

TEST_F(Revocation, UnlistedLeafIsAccepted) {
    const auto judged = judge({make(pki_.intermediate), make(pki_.root)});
    EXPECT_TRUE(judged.accepted) << judged.text;
    EXPECT_EQ(judged.outcome, "passed");
}

TEST_F(Revocation, LeafOfARevokedCaIsRefused) {
    const auto judged = judge(
        {make(pki_.intermediate), make(pki_.root, {.revoked = {revoked(pki_.intermediate.certificate)}})});
    EXPECT_FALSE(judged.accepted);
}

TEST_F(Revocation, WithoutACrlOfTheIssuerTheStepIsSkipped) {
    const auto judged = judge({});
    EXPECT_TRUE(judged.accepted);
    EXPECT_EQ(judged.outcome, "skipped");
}

TEST_F(Revocation, ForgedCrlSaysNothing) {
    const TestPki look_alike;
    const auto judged = judge({make(look_alike.intermediate, {.revoked = {revoked(device_.certificate)}})});
    EXPECT_TRUE(judged.accepted);
    EXPECT_EQ(judged.outcome, "skipped");
}

TEST_F(Revocation, OldCrlStaysInForceWithAWarning) {
    const auto later = test_time() + std::chrono::days(8);
    const auto good = judge({make(pki_.intermediate)}, {}, later);
    EXPECT_TRUE(good.accepted);
    EXPECT_EQ(good.outcome, "warned");
    EXPECT_THAT(good.text, HasSubstr("8 days old"));
    EXPECT_FALSE(
        judge({make(pki_.intermediate, {.revoked = {revoked(device_.certificate)}})}, {}, later).accepted);
}

TEST_F(Revocation, CrlOlderThanTheLimitRefusesEverybody) {
    const auto later = test_time() + std::chrono::days(2);
    EXPECT_FALSE(judge({make(pki_.intermediate)}, std::chrono::days(1), later).accepted);
    EXPECT_TRUE(judge({make(pki_.intermediate)}, std::chrono::days(3), later).accepted);
}

TEST_F(Revocation, WithALimitAndASourceNeverReachedNobodyIsAccepted) {
    EXPECT_FALSE(judge({}, std::chrono::days(1), test_time(), false).accepted);
    EXPECT_TRUE(judge({}, std::chrono::days(1), test_time(), true).accepted);
    EXPECT_TRUE(judge({}, {}, test_time(), false).accepted);
}

TEST_F(Revocation, HoldThatANewerCrlLiftsIsOver) {
    const auto held = make(pki_.intermediate, {.revoked = {revoked(device_.certificate, 6)}, .number = 1});
    const auto lifted = make(pki_.intermediate, {.number = 2, .at = test_time() + 60s});
    EXPECT_FALSE(judge({held}).accepted);
    EXPECT_TRUE(judge({held, lifted}, {}, test_time() + 120s).accepted);
    EXPECT_TRUE(lifted.supersedes(held));
    EXPECT_FALSE(held.supersedes(lifted));
    EXPECT_FALSE(held.same_entries(lifted));
}

// A CA that was certified twice: the revoked certificate closes its own way alone.
TEST_F(Revocation, AnotherPathIsTakenWhereOneIsRevoked) {
    const auto again = pki::issue({.profile = pki::Profile::intermediate,
                                   .key = pki_.intermediate.key.public_key(),
                                   .common_name = "my_optional_intermediate_CA"},
                                  &pki_.root.certificate, pki_.root.key, test_time());
    ASSERT_TRUE(again);
    const pki::CrlSet set({make(pki_.root, {.revoked = {revoked(pki_.intermediate.certificate)}})});
    const pki::TrustBundle trust({pki_.root.certificate});
    const pki::Chain chain{device_.certificate, pki_.intermediate.certificate, *again};
    const auto judged = pki::verify({.chain = chain, .trust = trust, .now = test_time(), .crls = &set});
    EXPECT_TRUE(judged.verdict.accepted()) << pki::to_text(judged.verdict);
    EXPECT_EQ(judged.path.at(1), *again);
}

TEST_F(Revocation, AnchorThatAnotherAnchorRevokedIsNoAnchor) {
    const pki::TrustBundle trust({pki_.root.certificate, pki_.intermediate.certificate});
    const pki::Chain chain{device_.certificate};
    const auto accepted = [&](const pki::CrlSet& set) {
        return pki::verify({.chain = chain, .trust = trust, .now = test_time(), .crls = &set})
            .verdict.accepted();
    };
    EXPECT_TRUE(accepted(pki::CrlSet({make(pki_.root)})));
    EXPECT_FALSE(
        accepted(pki::CrlSet({make(pki_.root, {.revoked = {revoked(pki_.intermediate.certificate)}})})));
}

TEST(Profiles, PointersStandInTheCertificate) {
    const TestPki pki;
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto text_of = [&](pki::Profile profile) {
        const auto made = pki::issue({.profile = profile,
                                      .key = key.public_key(),
                                      .common_name = "x",
                                      .crl_urls = {"http://ca.local:9080/crl/a.crl"},
                                      .ocsp_url = "http://ca.local:9080/ocsp",
                                      .ca_issuers_url = "http://ca.local:9080/ca/a.crt"},
                                     &pki.intermediate.certificate, pki.intermediate.key, test_time());
        EXPECT_TRUE(made);
        return support::run({"openssl", "x509", "-noout", "-text"}, {.input = made->pem()}).out;
    };
    const auto device = text_of(pki::Profile::device);
    EXPECT_THAT(device, HasSubstr("URI:http://ca.local:9080/crl/a.crl"));
    EXPECT_THAT(device, HasSubstr("OCSP - URI:http://ca.local:9080/ocsp"));
    EXPECT_THAT(device, HasSubstr("CA Issuers - URI:http://ca.local:9080/ca/a.crt"));
    const auto bootstrap = text_of(pki::Profile::bootstrap);
    EXPECT_THAT(bootstrap, HasSubstr("URI:http://ca.local:9080/crl/a.crl"));
    EXPECT_THAT(bootstrap, Not(HasSubstr("OCSP - URI")));
    const auto ocsp = text_of(pki::Profile::ocsp);
    EXPECT_THAT(ocsp, HasSubstr("OCSP Signing"));
    EXPECT_THAT(ocsp, HasSubstr("OCSP No Check"));
    EXPECT_THAT(ocsp, Not(HasSubstr("CRL Distribution")));
    EXPECT_THAT(ocsp, Not(HasSubstr("Authority Information Access")));
}

}  // namespace
