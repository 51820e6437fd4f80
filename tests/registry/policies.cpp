// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"
#include "support/certificates.hpp"

namespace registry_tests {
namespace {

using registry::Registry;
using registry::Right;

class Policies : public RegistryFile {
  protected:
    base::Result<Registry::PutCa> put(const std::string& name, const pki::Certificate& certificate,
                                      registry::IfMatch match = {},
                                      Registry::Proof proof = Registry::Proof::verified) {
        return wait<Registry::PutCa>(
            [&](auto done) { registry->put_ca_certificate(name, certificate, proof, match, done); });
    }
    base::Result<bool> remove_ca(const std::string& name, registry::IfMatch match = any) {
        return wait<bool>([&](auto done) { registry->delete_ca_certificate(name, match, done); });
    }
};

TEST_F(Policies, AreTheFiveOfAzureWithKeysOfTheirOwn) {
    ASSERT_TRUE(registry->make_policies());
    const auto all = take(reader->policies());
    ASSERT_EQ(all.size(), 5U);
    const auto rights = [&](const std::string& name) {
        const auto policy = take(reader->policy(name)).value();
        std::string out;
        for (const auto& [right, letter] : {std::pair{Right::registry_read, 'r'},
                                            {Right::registry_write, 'w'},
                                            {Right::service_connect, 's'},
                                            {Right::device_connect, 'd'}})
            if (policy.has(right)) out += letter;
        return out;
    };
    EXPECT_EQ(rights("iothubowner"), "rwsd");
    EXPECT_EQ(rights("service"), "s");
    EXPECT_EQ(rights("device"), "d");
    EXPECT_EQ(rights("registryRead"), "r");
    EXPECT_EQ(rights("registryReadWrite"), "rw");
    for (const auto& one : all) EXPECT_EQ(base::from_base64(one.primary_key)->size(), 32U);
    EXPECT_NE(all[0].primary_key, all[1].primary_key);
    EXPECT_EQ(take(reader->policy("nobody")), std::nullopt);
}

TEST_F(Policies, KeepTheirKeysWhenTheyAreMadeAgain) {
    ASSERT_TRUE(registry->make_policies());
    const auto key = take(reader->policy("iothubowner"))->primary_key;
    open();
    ASSERT_TRUE(registry->make_policies());
    EXPECT_EQ(take(reader->policy("iothubowner"))->primary_key, key);
}

TEST_F(Policies, AKeyIsRenewedAloneOrBothAreExchanged) {
    ASSERT_TRUE(registry->make_policies());
    const auto before = take(reader->policy("service")).value();
    const auto renewed = take(registry->renew_policy_key("service", registry::KeyRenewal::secondary));
    EXPECT_EQ(renewed.primary_key, before.primary_key);
    EXPECT_NE(renewed.secondary_key, before.secondary_key);
    EXPECT_EQ(base::from_base64(renewed.secondary_key)->size(), 32U);
    EXPECT_EQ(take(reader->policy("service"))->secondary_key, renewed.secondary_key);
    const auto swapped = take(registry->renew_policy_key("service", registry::KeyRenewal::swap));
    EXPECT_EQ(swapped.primary_key, renewed.secondary_key);
    EXPECT_EQ(swapped.secondary_key, renewed.primary_key);
    EXPECT_EQ(swapped.rights, before.rights);
    const auto last = take(registry->renew_policy_key("service", registry::KeyRenewal::primary));
    EXPECT_NE(last.primary_key, swapped.primary_key);
    EXPECT_EQ(last.secondary_key, swapped.secondary_key);
    EXPECT_EQ(registry->renew_policy_key("nobody", registry::KeyRenewal::primary).error().code,
              base::Code::not_found);
}

TEST_F(Policies, AnotherProcessRenewsAKeyAndAReaderSeesItAtOnce) {
    ASSERT_TRUE(registry->make_policies());
    const auto before = take(reader->policy("iothubowner")).value();
    const auto beside = take(registry::Registry::open(directory / "hub.db", clock));
    const auto renewed = take(beside->renew_policy_key("iothubowner", registry::KeyRenewal::primary));
    EXPECT_NE(renewed.primary_key, before.primary_key);
    EXPECT_EQ(take(reader->policy("iothubowner"))->primary_key, renewed.primary_key);
}

TEST_F(Policies, ACaCertificateIsKeptWithItsDates) {
    const support::TestPki pki;
    const auto first = take(put("my_private_root_CA", pki.root.certificate));
    EXPECT_TRUE(first.created);
    EXPECT_TRUE(first.certificate.verified);
    const auto created = clock.now();
    clock.when += std::chrono::hours(1);
    const auto second =
        take(put("my_private_root_CA", pki.intermediate.certificate, any, Registry::Proof::unverified));
    EXPECT_FALSE(second.created);
    const auto read = take(reader->ca_certificate("my_private_root_CA")).value();
    EXPECT_EQ(read.certificate, pki.intermediate.certificate);
    EXPECT_FALSE(read.verified);
    EXPECT_EQ(read.created, created);
    EXPECT_EQ(read.updated, clock.now());
    EXPECT_NE(read.etag, first.certificate.etag);
}

TEST_F(Policies, ACaCertificateIsReplacedOnlyWithItsEtag) {
    const support::TestPki pki;
    EXPECT_EQ(refusal(put("ca", pki.root.certificate, any)), "PreconditionFailed");
    const auto etag = take(put("ca", pki.root.certificate)).certificate.etag;
    EXPECT_EQ(refusal(put("ca", pki.root.certificate)), "PreconditionFailed");
    EXPECT_EQ(refusal(put("ca", pki.root.certificate, {registry::IfMatch::Kind::exact, "x"})),
              "PreconditionFailed");
    EXPECT_EQ(refusal(put("ca", pki.root.certificate, {registry::IfMatch::Kind::exact, etag})), "none");
    EXPECT_EQ(refusal(remove_ca("ca", {})), "PreconditionFailed");
    EXPECT_EQ(refusal(remove_ca("ca")), "none");
    EXPECT_EQ(refusal(remove_ca("ca")), "CertificateNotFound");
    EXPECT_TRUE(take(reader->ca_certificates()).empty());
}

TEST_F(Policies, ACaCertificateMustBeOneOfACa) {
    const auto leaf = support::make_identity({.profile = pki::Profile::client, .common_name = "TempSensor"});
    EXPECT_EQ(refusal(put("leaf", leaf.certificate)), "ArgumentInvalid");
}

TEST_F(Policies, ACaCertificateHasANameOfTheSet) {
    const support::TestPki pki;
    for (const auto& name : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a/b")})
        EXPECT_EQ(refusal(put(name, pki.root.certificate)), "ArgumentInvalid") << name;
    EXPECT_EQ(refusal(put(std::string(61, 'a') + "-._", pki.root.certificate)), "none");
}

TEST_F(Policies, CaCertificatesAre25AtMost) {
    const support::TestPki pki;
    for (int i = 0; i < 25; ++i) take(put("ca" + std::to_string(i), pki.root.certificate));
    EXPECT_EQ(put("ca25", pki.root.certificate).error().code, base::Code::too_large);
    EXPECT_EQ(refusal(put("ca7", pki.intermediate.certificate, any)), "none");
    EXPECT_EQ(take(reader->ca_certificates()).size(), 25U);
}

}  // namespace
}  // namespace registry_tests
