// SPDX-License-Identifier: Apache-2.0
#include "pki/callback_key.hpp"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "pki/openssl.hpp"
#include "pki/public_numbers.hpp"

namespace {

using pki::KeyOperation;
using pki::KeyType;
using pki::PrivateKey;

// The other side of the callback, as the keys service does it.
base::Result<base::Bytes> operate(const PrivateKey& key, KeyOperation operation,
                                  std::span<const std::byte> input) {
    switch (operation) {
        case KeyOperation::ecdsa:
            return key.sign_digest(input);
        case KeyOperation::rsa_pkcs1:
            return key.rsa_private(input, PrivateKey::RsaPadding::pkcs1);
        case KeyOperation::rsa_raw:
            return key.rsa_private(input, PrivateKey::RsaPadding::none);
    }
    return base::fail(base::Code::internal, "operation", "is unknown");
}

class CallbackKey : public testing::TestWithParam<KeyType> {};

// As pki::issue and TLS use a key: by EVP_DigestSign and X509_sign, compared with a certificate's public key.
TEST_P(CallbackKey, SignsWhereverAPrivateKeyDoes) {
    const auto real = PrivateKey::generate(GetParam());
    ASSERT_TRUE(real);
    int calls = 0;
    const auto remote =
        pki::callback_key(real->public_key(), [&](KeyOperation operation, std::span<const std::byte> in) {
            ++calls;
            return operate(*real, operation, in);
        });
    ASSERT_TRUE(remote) << remote.error().text();
    EXPECT_TRUE(remote->public_key() == real->public_key());
    EXPECT_EQ(remote->description(), real->description());
    EXPECT_FALSE(remote->pem());

    const pki::X509Ptr made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    ASSERT_EQ(X509_set_pubkey(made.get(), real->handle()), 1);
    ASSERT_GT(X509_sign(made.get(), remote->handle(), EVP_sha256()), 0) << pki::take_openssl_error_text();
    EXPECT_EQ(X509_verify(made.get(), real->handle()), 1);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(remote->matches(pki::Certificate::share(made.get())));
}

TEST_P(CallbackKey, FailsWhereTheCallbackFails) {
    const auto real = PrivateKey::generate(GetParam());
    ASSERT_TRUE(real);
    const auto remote = pki::callback_key(real->public_key(), [](KeyOperation, std::span<const std::byte>) {
        return base::Result<base::Bytes>(base::fail(base::Code::unavailable, "keys service", "is away"));
    });
    ASSERT_TRUE(remote);
    const base::Bytes digest(32, std::byte{7});
    EXPECT_FALSE(remote->sign_digest(digest));
}

TEST_P(CallbackKey, PublicKeySurvivesItsNumbers) {
    const auto real = PrivateKey::generate(GetParam());
    ASSERT_TRUE(real);
    const auto numbers = pki::public_numbers(real->public_key());
    ASSERT_TRUE(numbers) << numbers.error().text();
    const auto back = pki::public_key_from(*numbers);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(*back == real->public_key());
}

INSTANTIATE_TEST_SUITE_P(Keys, CallbackKey,
                         testing::Values(KeyType::ec_p256, KeyType::ec_p384, KeyType::rsa_2048),
                         [](const auto& each) {
                             auto name = std::string(pki::to_string(each.param));
                             std::erase(name, '-');
                             return name;
                         });

TEST(PublicNumbers, CurveIsADerObjectIdentifier) {
    const auto key = PrivateKey::generate(KeyType::ec_p256);
    ASSERT_TRUE(key);
    const auto numbers = pki::public_numbers(key->public_key());
    ASSERT_TRUE(numbers);
    EXPECT_EQ(base::to_hex(numbers->curve_oid), "06082a8648ce3d030107");
    EXPECT_EQ(numbers->point.size(), 33U);
}

TEST(PublicNumbers, NonsenseIsNoKey) {
    EXPECT_FALSE(pki::public_key_from({pki::KeyAlgorithm::rsa, {}, {}, {}, {}}));
    EXPECT_FALSE(pki::public_key_from({pki::KeyAlgorithm::ecdsa, base::Bytes(4), base::Bytes(33), {}, {}}));
}

}  // namespace
