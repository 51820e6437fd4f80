// SPDX-License-Identifier: Apache-2.0
#include "pki/name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace {

using testing::HasSubstr;

TEST(Name, AcceptsWhatHostsAreCalled) {
    for (const std::string name :
         {"DNS:edgegateway.local", "DNS:ContosoIotHub", "DNS:a", "DNS:3com.example", "DNS:*.contoso.com",
          "DNS:xn--bcher-kva.example", "IP:127.0.0.2", "IP:::1", "IP:2001:db8::7",
          "URI:azureiot://hub/devices/TempSensor", "URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"})
        EXPECT_TRUE(pki::check_name(name)) << name << ": " << pki::check_name(name).error().text();
    EXPECT_TRUE(pki::check_name("DNS:" + std::string(63, 'a') + ".example"));
}

struct Bad {
    std::string name;
    std::string reason;
};

class BadName : public testing::TestWithParam<Bad> {};

TEST_P(BadName, IsRefusedWithTheReason) {
    const auto checked = pki::check_name(GetParam().name);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, base::Code::invalid_argument);
    EXPECT_THAT(checked.error().text(), HasSubstr(GetParam().reason));
    for (const char c : checked.error().text()) EXPECT_TRUE(c >= ' ' && c <= '~');
}

INSTANTIATE_TEST_SUITE_P(
    Names, BadName,
    testing::Values(Bad{"DNS:edge_gateway", "underscore"}, Bad{"DNS:", "is empty"},
                    Bad{"DNS:.local", "empty label"}, Bad{"DNS:edge.local.", "empty label"},
                    Bad{"DNS:a..b", "empty label"}, Bad{"DNS:-edge", "begins or ends with a hyphen"},
                    Bad{"DNS:edge-.local", "begins or ends with a hyphen"},
                    Bad{"DNS:" + std::string(64, 'a'), "64 characters"},
                    Bad{"DNS:" + std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                            std::string(63, 'c') + "." + std::string(63, 'd'),
                        "255 characters"},
                    Bad{"DNS:127.0.0.1", "write IP:127.0.0.1"}, Bad{"DNS:::1", "write IP:::1"},
                    Bad{"DNS:999.1.1.1", "ends in a number"}, Bad{"DNS:host.1", "ends in a number"},
                    Bad{"DNS:*", "wildcard"}, Bad{"DNS:*.local", "fewer than two labels"},
                    Bad{"DNS:a.*.contoso.com", "wildcard"}, Bad{"DNS:a*.contoso.com", "wildcard"},
                    Bad{"DNS:b\xc3\xbc"
                        "cher.example",
                        "xn--"},
                    Bad{"DNS:a b", "0x20"}, Bad{std::string("DNS:good.example\0.evil", 22), "0x00"},
                    Bad{"DNS:a\nb", "0x0a"}, Bad{"DNS:a,DNS:b", "','"},
                    Bad{"IP:1.2.3", "is not an IPv4 or IPv6 address"}, Bad{"IP:[::1]", "is not an IPv4"},
                    Bad{"IP:fe80::1%eth0", "zone"}, Bad{"IP:1.2.3.4/8", "is not an IPv4"},
                    Bad{"IP:", "is not an IPv4"}, Bad{"URI:nothing", "has no scheme"},
                    Bad{"URI:1x:y", "has no scheme"}, Bad{"URI:http://", "nothing behind"},
                    Bad{"URI:http://a b", "no URI may"}, Bad{"URI:http://a/%zz", "percent sign"},
                    Bad{"URI:x:" + std::string(2100, 'a'), "2102 characters"},
                    Bad{"edgegateway.local", "write DNS:name"}, Bad{"email:a@b.example", "no kind"},
                    Bad{"", "no kind"}));

TEST(Name, CommonNameHasOneTo64Characters) {
    EXPECT_TRUE(pki::check_common_name("iotedged workload ca edgegateway"));
    EXPECT_TRUE(pki::check_common_name(std::string(64, 'x')));
    std::string umlauts;
    for (int i = 0; i < 64; ++i) umlauts += "\xc3\xbc";
    EXPECT_TRUE(pki::check_common_name(umlauts));
    EXPECT_THAT(pki::check_common_name(std::string(65, 'x')).error().text(), HasSubstr("65 characters"));
    EXPECT_THAT(pki::check_common_name("").error().text(), HasSubstr("is empty"));
    EXPECT_THAT(pki::check_common_name("a\nb").error().text(), HasSubstr("control character"));
    EXPECT_THAT(pki::check_common_name("\xff").error().text(), HasSubstr("not UTF-8"));
}

}  // namespace
