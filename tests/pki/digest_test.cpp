// SPDX-License-Identifier: Apache-2.0
#include "pki/digest.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

base::Bytes hex(std::string_view text) {
    return base::from_hex(text).value();
}

TEST(Digest, KnowsPublishedVectors) {
    // FIPS 180-4 examples.
    EXPECT_EQ(base::to_hex(pki::sha256(base::as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(base::to_hex(pki::sha256({})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(base::to_hex(pki::sha1(base::as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Hmac, KnowsPublishedVectors) {
    // RFC 4231 cases 1 and 2.
    EXPECT_EQ(base::to_hex(pki::hmac_sha256(hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                                            base::as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(base::to_hex(
                  pki::hmac_sha256(base::as_bytes("Jefe"), base::as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    // Empty key and message: a value that many tools print.
    EXPECT_EQ(base::to_hex(pki::hmac_sha256({}, {})),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Aead, KnowsAPublishedVector) {
    // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
    const auto key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    const auto nonce = hex("cafebabefacedbaddecaf888");
    const auto plain =
        hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
            "b16aedf5aa0de657ba637b39");
    const auto additional = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const auto sealed = pki::aead_seal(key, nonce, additional, plain).value();
    EXPECT_EQ(
        base::to_hex(sealed),
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
        "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    EXPECT_TRUE(pki::aead_open(key, nonce, additional, sealed).value() == base::SecretBytes(plain));
}

TEST(Aead, RefusesAnyChange) {
    const auto key = pki::random_bytes(32), nonce = pki::random_bytes(12), additional = pki::random_bytes(5);
    const auto sealed = pki::aead_seal(key, nonce, additional, base::as_bytes("message")).value();
    const auto flipped = [](base::Bytes bytes, std::size_t at) {
        bytes[at] ^= std::byte{1};
        return bytes;
    };
    for (std::size_t at = 0; at < sealed.size(); ++at)
        EXPECT_EQ(pki::aead_open(key, nonce, additional, flipped(sealed, at)).error().code,
                  base::Code::invalid_argument);
    EXPECT_FALSE(pki::aead_open(flipped(key, 0), nonce, additional, sealed));
    EXPECT_FALSE(pki::aead_open(key, flipped(nonce, 0), additional, sealed));
    EXPECT_FALSE(pki::aead_open(key, nonce, flipped(additional, 0), sealed));
    EXPECT_FALSE(pki::aead_open(key, nonce, {}, sealed));
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(pki::aead_open(key, nonce, additional, std::span(sealed).first(size)));
}

TEST(Aead, TakesEmptyPartsAndNoncesOfAnyLength) {
    const auto key = pki::random_bytes(32);
    for (const std::size_t size : {1U, 12U, 16U, 64U}) {
        const auto nonce = pki::random_bytes(size);
        const auto sealed = pki::aead_seal(key, nonce, {}, {});
        ASSERT_TRUE(sealed) << sealed.error().text();
        EXPECT_EQ(sealed->size(), 16U);
        EXPECT_TRUE(pki::aead_open(key, nonce, {}, *sealed).value().empty());
    }
    EXPECT_FALSE(pki::aead_seal(key, {}, {}, {}));
    EXPECT_FALSE(pki::aead_seal(pki::random_bytes(16), pki::random_bytes(12), {}, {}));
}

TEST(Random, DiffersAndHasItsForm) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto uuid = pki::random_uuid();
        ASSERT_EQ(uuid.size(), 36U);
        EXPECT_EQ(uuid[8], '-');
        EXPECT_EQ(uuid[14], '4');
        EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
        EXPECT_TRUE(seen.insert(uuid).second);
    }
    EXPECT_EQ(pki::random_secret(48).size(), 48U);
    EXPECT_TRUE(pki::random_bytes(0).empty());
}

}  // namespace
