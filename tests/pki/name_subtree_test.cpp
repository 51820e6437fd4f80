// SPDX-License-Identifier: Apache-2.0
#include "pki/name_subtree.hpp"

#include <gtest/gtest.h>

#include <array>

namespace {

using pki::Subtree;

TEST(DnsSubtree, HoldsTheNameItselfAndAllBelow) {
    for (const auto kind : {Subtree::permitted, Subtree::excluded}) {
        EXPECT_TRUE(pki::dns_is_within("contoso.com", "Contoso.com", kind));
        EXPECT_TRUE(pki::dns_is_within("a.b.contoso.com", "contoso.com", kind));
        EXPECT_FALSE(pki::dns_is_within("not-contoso.com", "contoso.com", kind));
        EXPECT_FALSE(pki::dns_is_within("com", "contoso.com", kind));
        EXPECT_TRUE(pki::dns_is_within("anything.at.all", "", kind));
    }
}

TEST(DnsSubtree, TakesAWildcardForAllThatItStandsFor) {
    EXPECT_TRUE(pki::dns_is_within("*.contoso.com", "contoso.com", Subtree::permitted));
    EXPECT_FALSE(pki::dns_is_within("*.contoso.com", "hub.contoso.com", Subtree::permitted));
    EXPECT_TRUE(pki::dns_is_within("*.contoso.com", "hub.contoso.com", Subtree::excluded));
    EXPECT_FALSE(pki::dns_is_within("*.contoso.com", "a.hub.contoso.com", Subtree::excluded));
    EXPECT_FALSE(pki::dns_is_within("*.contoso.com", "fabrikam.com", Subtree::excluded));
}

TEST(DnsSubtree, HasNeitherWildcardNorLeadingDot) {
    EXPECT_TRUE(pki::is_dns_subtree("contoso.com"));
    EXPECT_TRUE(pki::is_dns_subtree(""));
    EXPECT_FALSE(pki::is_dns_subtree(".contoso.com"));
    EXPECT_FALSE(pki::is_dns_subtree("*.contoso.com"));
}

TEST(EmailSubtree, IsAMailboxAHostOrADomain) {
    EXPECT_TRUE(pki::email_is_within("user@contoso.com", "user@CONTOSO.com"));
    EXPECT_FALSE(pki::email_is_within("User@contoso.com", "user@contoso.com"));
    EXPECT_TRUE(pki::email_is_within("user@contoso.com", "contoso.com"));
    EXPECT_FALSE(pki::email_is_within("user@mail.contoso.com", "contoso.com"));
    EXPECT_TRUE(pki::email_is_within("user@mail.contoso.com", ".contoso.com"));
    EXPECT_FALSE(pki::email_is_within("user@contoso.com", ".contoso.com"));
    EXPECT_FALSE(pki::is_mailbox("a@b@contoso.com"));
    EXPECT_FALSE(pki::is_mailbox("@contoso.com"));
    EXPECT_FALSE(pki::is_email_subtree("a@b@contoso.com"));
}

TEST(UriSubtree, LooksAtTheHostAlone) {
    EXPECT_EQ(pki::uri_host("https://user:secret@host.contoso.com:8443/path?x@y"), "host.contoso.com");
    EXPECT_EQ(pki::uri_host("urn:device:1"), "");
    EXPECT_EQ(pki::uri_host("https://10.0.0.1/"), "");
    EXPECT_EQ(pki::uri_host("https://[::1]/"), "");
    EXPECT_TRUE(pki::uri_host_is_within("host.contoso.com", ".contoso.com"));
    EXPECT_FALSE(pki::uri_host_is_within("contoso.com", ".contoso.com"));
    EXPECT_TRUE(pki::uri_host_is_within("contoso.com", "contoso.com"));
    EXPECT_FALSE(pki::uri_host_is_within("host.contoso.com", "contoso.com"));
}

TEST(AddressSubtree, ComparesUnderAContiguousMask) {
    constexpr std::array<unsigned char, 8> net{10, 1, 0, 0, 255, 255, 0, 0};
    constexpr std::array<unsigned char, 4> inside{10, 1, 2, 3};
    constexpr std::array<unsigned char, 4> outside{10, 2, 2, 3};
    EXPECT_TRUE(pki::is_address_subtree(net));
    EXPECT_TRUE(pki::address_is_within(inside, net));
    EXPECT_FALSE(pki::address_is_within(outside, net));
    constexpr std::array<unsigned char, 8> holes{10, 1, 0, 0, 255, 0, 255, 0};
    EXPECT_FALSE(pki::is_address_subtree(holes));
    EXPECT_FALSE(pki::is_address_subtree(inside));
    constexpr std::array<unsigned char, 16> six{};
    EXPECT_FALSE(pki::address_is_within(six, net));
}

}  // namespace
