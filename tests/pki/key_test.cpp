// SPDX-License-Identifier: Apache-2.0
#include "pki/key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/file.hpp"
#include "openssl_program.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

using pki::KeyType;
using pki::PrivateKey;
using testing::HasSubstr;

base::Result<PrivateKey> parse(const std::string& pem) {
    return PrivateKey::from_pem(base::SecretBytes(pem), "key x");
}

TEST(Key, ParsesTheNamesOfItsTypes) {
    for (const auto type :
         {KeyType::ec_p256, KeyType::ec_p384, KeyType::rsa_2048, KeyType::rsa_3072, KeyType::rsa_4096})
        EXPECT_EQ(pki::parse_key_type(pki::to_string(type)), type);
    EXPECT_FALSE(pki::parse_key_type("rsa-1024"));
    EXPECT_FALSE(pki::parse_key_type("EC-P256"));
}

TEST(Key, IsOfTheTypeAskedForAndOpensslReadsIt) {
    for (const auto& [type, description, text] :
         {std::tuple{KeyType::ec_p256, "EC P-256", "NIST CURVE: P-256"},
          std::tuple{KeyType::ec_p384, "EC P-384", "NIST CURVE: P-384"},
          std::tuple{KeyType::rsa_2048, "RSA 2048", "(2048 bit"}}) {
        const auto key = PrivateKey::generate(type);
        ASSERT_TRUE(key);
        EXPECT_EQ(key->description(), description);
        EXPECT_EQ(key->public_key().description(), description);
        EXPECT_TRUE(key->public_key().check_strength("key"));
        const auto pem = key->pem().value();
        EXPECT_THAT(std::string(pem.text()), testing::StartsWith("-----BEGIN PRIVATE KEY-----"));
        EXPECT_THAT(openssl({"pkey", "-noout", "-text", "-check"}, std::string(pem.text())), HasSubstr(text));
        const auto again = parse(std::string(pem.text()));
        ASSERT_TRUE(again);
        EXPECT_TRUE(again->public_key() == key->public_key());
    }
}

TEST(Key, ReadsThePemFormsOfOthers) {
    const auto pkcs1 = openssl({"genrsa", "-traditional", "2048"});
    EXPECT_THAT(pkcs1, HasSubstr("BEGIN RSA PRIVATE KEY"));
    EXPECT_TRUE(parse(pkcs1));
    const auto sec1 = openssl({"ecparam", "-name", "prime256v1", "-genkey"});
    EXPECT_THAT(sec1, testing::AllOf(HasSubstr("BEGIN EC PARAMETERS"), HasSubstr("BEGIN EC PRIVATE KEY")));
    EXPECT_TRUE(parse(sec1));
    EXPECT_TRUE(parse("some text\n" + pkcs1));
}

TEST(Key, RefusesAnEncryptedOneByName) {
    const auto plain = std::string(PrivateKey::generate(KeyType::ec_p256)->pem()->text());
    for (const auto& encrypted : {openssl({"pkcs8", "-topk8", "-passout", "pass:secret"}, plain),
                                  openssl({"ec", "-aes256", "-passout", "pass:secret"}, plain)}) {
        const auto refused = parse(encrypted);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::unsupported);
        EXPECT_THAT(refused.error().text(), HasSubstr("key x is encrypted with a passphrase"));
    }
}

TEST(Key, RefusesWhatIsNoneWithoutRepeatingIt) {
    for (const std::string text :
         {"", "nonsense", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
          "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
        const auto refused = parse(text);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::malformed);
        EXPECT_EQ(refused.error().text(),
                  "key x is not a PEM private key: it must hold a block -----BEGIN PRIVATE KEY-----");
    }
}

TEST(Key, IsLoadedByPathAndUri) {
    const support::TemporaryDirectory directory;
    const auto file = directory / "a key.pem";
    const auto key = PrivateKey::generate(KeyType::ec_p256);
    const auto pem = key->pem().value();
    ASSERT_TRUE(base::write_atomically(file, pem.text(), base::secret_mode));
    auto uri = "file://" + file.string();
    uri.replace(uri.find(' '), 1, "%20");
    for (const auto& where : {file.string(), uri, "file:" + file.string()}) {
        const auto loaded = PrivateKey::load(where, "device key");
        ASSERT_TRUE(loaded) << loaded.error().text();
        EXPECT_TRUE(loaded->public_key() == key->public_key());
    }
    EXPECT_EQ(PrivateKey::load("pkcs11:object=x", "device key").error().code, base::Code::unsupported);
    EXPECT_EQ(PrivateKey::load((directory / "none").string(), "device key").error().code,
              base::Code::not_found);
    ASSERT_TRUE(base::write_atomically(file, pem.text(), 0644));
    EXPECT_THAT(PrivateKey::load(file.string(), "device key").error().text(), HasSubstr("chmod 600"));
}

TEST(Key, MatchesItsCertificateAlone) {
    const auto first = support::make_identity({}), second = support::make_identity({});
    EXPECT_TRUE(first.key.matches(first.certificate));
    EXPECT_FALSE(first.key.matches(second.certificate));
    EXPECT_TRUE(pki::PublicKey::of(first.certificate) == first.key.public_key());
    EXPECT_FALSE(pki::PublicKey::of(first.certificate) == second.key.public_key());
    EXPECT_EQ(base::to_hex(first.key.public_key().der()).substr(0, 4), "3059");
}

TEST(Key, SignsADigestThatOpensslVerifies) {
    const support::TemporaryDirectory directory;
    const std::string message = "message";
    const auto digest = pki::sha256(base::as_bytes(message));
    for (const auto type : {KeyType::ec_p256, KeyType::rsa_2048}) {
        const auto key = PrivateKey::generate(type);
        base::Bytes signature;
        if (type == KeyType::ec_p256) {
            signature = key->sign_digest(digest).value();
            EXPECT_FALSE(key->rsa_private(digest, PrivateKey::RsaPadding::pkcs1));
        } else {
            // DigestInfo for SHA-256 (RFC 8017 9.2).
            auto info = base::from_hex("3031300d060960864801650304020105000420").value();
            info.insert(info.end(), digest.begin(), digest.end());
            signature = key->rsa_private(info, PrivateKey::RsaPadding::pkcs1).value();
            EXPECT_FALSE(key->rsa_private(info, PrivateKey::RsaPadding::none));
        }
        ASSERT_TRUE(base::write_atomically(directory / "key", key->pem()->text(), 0600));
        ASSERT_TRUE(base::write_atomically(directory / "sig", signature, 0644));
        ASSERT_TRUE(base::write_atomically(directory / "msg", message, 0644));
        EXPECT_THAT(openssl({"dgst", "-sha256", "-prverify", (directory / "key").string(), "-signature",
                             (directory / "sig").string(), (directory / "msg").string()}),
                    HasSubstr("Verified OK"));
    }
}

TEST(Key, StrengthIsChecked) {
    const auto key_of = [](const std::vector<std::string>& arguments) {
        return parse(openssl(arguments))->public_key();
    };
    EXPECT_THAT(key_of({"genrsa", "1024"}).check_strength("key x").error().text(),
                HasSubstr("key x has an RSA key of 1024 bits"));
    EXPECT_THAT(key_of({"genrsa", "-3", "2048"}).check_strength("key x").error().text(),
                HasSubstr("exponent"));
    EXPECT_THAT(key_of({"ecparam", "-name", "secp224r1", "-genkey"}).check_strength("key x").error().text(),
                HasSubstr("curve secp224r1"));
    EXPECT_TRUE(key_of({"ecparam", "-name", "secp521r1", "-genkey"}).check_strength("key x"));
}

}  // namespace
