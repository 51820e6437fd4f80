// SPDX-License-Identifier: Apache-2.0
#include "pki/peer_name.hpp"

#include <gtest/gtest.h>

#include "deciding.hpp"
#include "pki/checks.hpp"

namespace {

using deciding::Accepts;
using deciding::decide;
using deciding::RefusesFor;
using pki::dns_name_matches;
using pki::PeerName;

TEST(PeerName, TellsAddressesFromNames) {
    EXPECT_TRUE(PeerName::parse("127.0.0.1").is_address());
    EXPECT_TRUE(PeerName::parse("::1").is_address());
    EXPECT_EQ(PeerName::parse("[2001:db8::1]").address().size(), 16U);
    EXPECT_FALSE(PeerName::parse("edgegateway.local").is_address());
    EXPECT_FALSE(PeerName::parse("127.0.0.1.local").is_address());
    EXPECT_FALSE(PeerName::parse("127.1").is_address());
    EXPECT_FALSE(PeerName::parse(std::string_view("127.0.0.1\0.evil.com", 18)).is_address());
}

struct Match {
    std::string_view presented;
    std::string_view host;
    bool matches;
};
class DnsNameMatches : public testing::TestWithParam<Match> {};
TEST_P(DnsNameMatches, AsRfc9525Says) {
    EXPECT_EQ(dns_name_matches(GetParam().presented, GetParam().host), GetParam().matches)
        << GetParam().presented << " for " << GetParam().host;
}
INSTANTIATE_TEST_SUITE_P(
    Table, DnsNameMatches,
    testing::Values(
        Match{"edgegateway.local", "edgegateway.local", true},
        Match{"EdgeGateway.Local", "edgegateway.LOCAL", true},
        Match{"edgegateway.local", "edgegateway.local.", true}, Match{"edgegateway", "edgegateway", true},
        Match{"edgegateway.local", "edgegateway", false}, Match{"edgegateway", "edgegateway.local", false},
        Match{"*.contoso.com", "hub.contoso.com", true}, Match{"*.contoso.com", "a.hub.contoso.com", false},
        Match{"*.contoso.com", "contoso.com", false}, Match{"*.contoso.com", ".contoso.com", false},
        Match{"h*.contoso.com", "hub.contoso.com", false}, Match{"hub.*.com", "hub.contoso.com", false},
        Match{"*.com", "contoso.com", false}, Match{"*", "contoso", false},
        Match{"*.*.com", "hub.contoso.com", false}, Match{"*.contoso.com", "*.contoso.com", false},
        Match{"hub.contoso.com.", "hub.contoso.com", false}, Match{"", "", false},
        Match{"a..b", "a..b", false}));

struct Named : testing::Test {
    forge::Signed root = forge::make(forge::ca("root"));
    pki::Verification ask(const forge::Signed& leaf, std::string host,
                          pki::Policy policy = pki::Policy::azure) {
        return decide({.chain = {leaf.certificate},
                       .anchors = {root.certificate},
                       .host = std::move(host),
                       .policy = policy});
    }
};

TEST_F(Named, ByDnsNameOrByAddressOctets) {
    const auto leaf = forge::make(forge::leaf("x", "DNS:gateway.local,IP:10.0.0.1,IP:2001:db8::1"), &root);
    EXPECT_THAT(ask(leaf, "gateway.local"), Accepts());
    EXPECT_THAT(ask(leaf, "10.0.0.1"), Accepts());
    EXPECT_THAT(ask(leaf, "2001:0db8:0:0::1"), Accepts());
    EXPECT_THAT(ask(leaf, "10.0.0.2"), RefusesFor(pki::checks::leaf_san, 0));
}

TEST_F(Named, NeverByAnAddressWrittenAsADnsName) {
    const auto leaf = forge::make(forge::leaf("10.0.0.1", "DNS:10.0.0.1"), &root);
    EXPECT_THAT(ask(leaf, "10.0.0.1"), RefusesFor(pki::checks::leaf_san, 0));
}

TEST_F(Named, ByCommonNameOnlyWithoutAnySanAndOnlyForAzure) {
    const auto bare = forge::make(forge::leaf("gateway.local"), &root);
    EXPECT_THAT(ask(bare, "gateway.local"), Accepts());
    EXPECT_THAT(ask(bare, "gateway.local", pki::Policy::strict), RefusesFor(pki::checks::leaf_san, 0));
    const auto with_uri = forge::make(forge::leaf("gateway.local", "URI:urn:x"), &root);
    EXPECT_THAT(ask(with_uri, "gateway.local"), RefusesFor(pki::checks::leaf_san, 0));
    const auto address = forge::make(forge::leaf("10.0.0.1"), &root);
    EXPECT_THAT(ask(address, "10.0.0.1"), RefusesFor(pki::checks::leaf_san, 0));
}

}  // namespace
