// SPDX-License-Identifier: Apache-2.0
#include "registry/possession.hpp"

#include "fixture.hpp"
#include "support/certificates.hpp"

namespace registry_tests {
namespace {

using registry::CaCertificate;
using registry::IfMatch;
using registry::Registry;

constexpr auto code = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";

struct Case {
    const char* what;
    support::Identity proof;
    base::Instant now;
    bool good;
};

TEST(Possession, IsProvenByACertificateOfTheCaItselfWithTheCodeAsItsName) {
    const support::TestPki pki;
    const auto now = support::test_time();
    const auto made = [&](const std::string& name, const support::Identity* issuer,
                          pki::Profile profile = pki::Profile::device) {
        return support::make_identity({.profile = profile, .common_name = name}, issuer);
    };
    const auto other = made("my_private_root_CA", nullptr, pki::Profile::root);
    const auto self = made(code, nullptr, pki::Profile::root);
    const Case cases[] = {
        {"by the CA", made(code, &pki.root), now, true},
        {"in lower case", made(base::to_lower(code), &pki.root), now, true},
        {"a CA below", made(code, &pki.root, pki::Profile::intermediate), now, true},
        {"another name", made("TempSensor", &pki.root), now, false},
        {"a part of the code", made(std::string(code).substr(1), &pki.root), now, false},
        {"by a CA below it", made(code, &pki.intermediate), now, false},
        {"by another CA of that name", made(code, &other), now, false},
        {"by itself", made(code, nullptr, pki::Profile::root), now, false},
        {"expired", made(code, &pki.root), now + std::chrono::days(1000), false},
        {"not yet valid", made(code, &pki.root), now - std::chrono::days(1), false},
    };
    for (const auto& [what, proof, when, good] : cases) {
        const auto checked = registry::check_possession(proof.certificate, pki.root.certificate, code, when);
        EXPECT_EQ(checked.has_value(), good) << what << ": " << (checked ? "" : checked.error().text());
    }
    EXPECT_FALSE(registry::check_possession(self.certificate, self.certificate, code, now))
        << "the CA certificate proves nothing by itself";
    EXPECT_FALSE(registry::check_possession(made("x", &pki.root).certificate, pki.root.certificate, "", now));
}

class VerificationCode : public RegistryFile {
  protected:
    VerificationCode() { clock.when = support::test_time(); }

    CaCertificate put(const std::string& name, IfMatch match = {}) {
        return take(wait<Registry::PutCa>([&](auto done) {
                   registry->put_ca_certificate(name, pki.root.certificate, Registry::Proof::unverified,
                                                std::move(match), done);
               }))
            .certificate;
    }
    base::Result<CaCertificate> make_code(const std::string& name, IfMatch match = any) {
        return wait<CaCertificate>(
            [&](auto done) { registry->make_verification_code(name, std::move(match), done); });
    }
    base::Result<CaCertificate> verify(const std::string& name, const std::string& common_name,
                                       IfMatch match = any) {
        const auto proof = support::make_identity({.common_name = common_name}, &pki.root);
        return wait<CaCertificate>([&](auto done) {
            registry->verify_ca_certificate(name, proof.certificate, std::move(match), done);
        });
    }
    support::TestPki pki;
};

TEST_F(VerificationCode, Has48UpperCaseHexDigitsAndIsReplacedAtEachCall) {
    put("root");
    const auto first = take(make_code("root"));
    EXPECT_EQ(first.verification_code.size(), 48U);
    EXPECT_EQ(first.verification_code.find_first_not_of("0123456789ABCDEF"), std::string::npos);
    const auto second = take(make_code("root"));
    EXPECT_NE(second.verification_code, first.verification_code);
    EXPECT_NE(second.etag, first.etag);
    EXPECT_EQ(refusal(verify("root", first.verification_code)), "ArgumentInvalid");
    EXPECT_FALSE(take(reader->ca_certificate("root"))->verified);
    EXPECT_EQ(refusal(verify("root", second.verification_code)), "none");
    EXPECT_TRUE(take(reader->ca_certificate("root"))->verified);
}

TEST_F(VerificationCode, IsSpentOnceItIsVerified) {
    put("root");
    EXPECT_EQ(refusal(verify("root", code)), "ArgumentInvalid") << "none was made";
    const auto made = take(make_code("root")).verification_code;
    const auto verified = take(verify("root", made));
    EXPECT_TRUE(verified.verified);
    EXPECT_EQ(verified.verification_code, "");
    EXPECT_EQ(refusal(verify("root", made)), "ArgumentInvalid");
    EXPECT_TRUE(take(reader->ca_certificate("root"))->verified) << "a spent code takes nothing back";
}

TEST_F(VerificationCode, IsForgottenWithTheVerificationWhenTheCertificateIsReplaced) {
    put("root");
    take(verify("root", take(make_code("root")).verification_code));
    const auto open_code = take(make_code("root"));
    EXPECT_TRUE(open_code.verified) << "a new code alone takes nothing back";
    const auto replaced = put("root", any);
    EXPECT_FALSE(replaced.verified);
    EXPECT_EQ(refusal(verify("root", open_code.verification_code)), "ArgumentInvalid");
    EXPECT_FALSE(take(reader->ca_certificate("root"))->verified);
}

TEST_F(VerificationCode, NeedsTheEtagOfTheCertificateAsItIsNow) {
    const auto before = put("root").etag;
    const auto exact = [](std::string etag) { return IfMatch{IfMatch::Kind::exact, std::move(etag)}; };
    const auto made = take(make_code("root", exact(before)));
    EXPECT_NE(made.etag, before);
    EXPECT_EQ(refusal(make_code("root", exact(before))), "PreconditionFailed");
    EXPECT_EQ(refusal(make_code("root", {})), "PreconditionFailed");
    EXPECT_EQ(refusal(verify("root", made.verification_code, exact(before))), "PreconditionFailed");
    EXPECT_EQ(refusal(verify("root", made.verification_code, {})), "PreconditionFailed");
    EXPECT_EQ(refusal(verify("root", made.verification_code, exact(made.etag))), "none");
    EXPECT_EQ(refusal(make_code("nobody")), "CertificateNotFound");
    EXPECT_EQ(refusal(verify("nobody", code)), "CertificateNotFound");
}

TEST_F(VerificationCode, SurvivesARestartAndTellsTheObserversOnlyOfTheProof) {
    put("root");
    const auto made = take(make_code("root")).verification_code;
    open();
    const auto before = take(reader->last_change());
    take(make_code("root"));
    EXPECT_EQ(take(reader->last_change()), before) << "nobody's trust has changed";
    EXPECT_EQ(refusal(verify("root", made)), "ArgumentInvalid");
    take(verify("root", take(reader->ca_certificate("root"))->verification_code));
    EXPECT_EQ(take(reader->last_change()), before + 1);
}

}  // namespace
}  // namespace registry_tests
