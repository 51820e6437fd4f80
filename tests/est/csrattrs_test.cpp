// SPDX-License-Identifier: Apache-2.0
#include "est/csrattrs.hpp"

#include <gtest/gtest.h>

namespace {

TEST(CsrAttributes, AreThoseOfTheVector) {
    const auto der = est::csr_attributes({.key = pki::KeyType::ec_p256, .client_auth = true});
    EXPECT_EQ(base::to_base64(der),
              "MIGBMBUGByqGSM49AgExCgYIKoZIzj0DAQcGCCqGSM49BAMCMF4GCyqGSIb3DQEJ"
              "EAI9MU8wTQIBADAJMQcwBQYDVQQDoBUwEwYHKoZIzj0CAQYIKoZIzj0DAQehJjAk"
              "BgkqhkiG9w0BCQ4xFzAVMBMGA1UdJQQMMAoGCCsGAQUFBwMC");
}

TEST(CsrAttributes, WithoutAWishAreEmpty) {
    EXPECT_EQ(base::to_base64(est::csr_attributes({})), "MAA=");
    EXPECT_EQ(base::to_base64(est::csr_attributes({.challenge = true})), "MAsGCSqGSIb3DQEJBw==");
}

TEST(CsrAttributes, OfRsaCarryItsSize) {
    const auto hex = base::to_hex(est::csr_attributes({.key = pki::KeyType::rsa_3072, .server_auth = true}));
    EXPECT_NE(hex.find("02020c00"), std::string::npos);
    EXPECT_NE(hex.find("06082b06010505070301"), std::string::npos);
    EXPECT_EQ(hex.find("06082b06010505070302"), std::string::npos);
}

}  // namespace
