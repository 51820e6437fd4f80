// SPDX-License-Identifier: Apache-2.0
#include "est/client_url.hpp"

#include <gtest/gtest.h>

namespace {

TEST(EstUrl, IsAPrefixThatStaysAsItIs) {
    const auto url = est::parse_url("https://est.example/.well-known/est/device/");
    ASSERT_TRUE(url) << url.error().text();
    EXPECT_EQ(url->host, "est.example");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->path, "/.well-known/est/device");
    EXPECT_EQ(url->text(), "https://est.example/.well-known/est/device");
    EXPECT_EQ(est::parse_url("HTTPS://e:9443")->text(), "https://e:9443");
    const auto address = est::parse_url("https://[::1]:9443/est");
    ASSERT_TRUE(address) << address.error().text();
    EXPECT_EQ(address->host, "::1");
    EXPECT_EQ(address->text(), "https://[::1]:9443/est");
}

TEST(EstUrl, RefusesWhatIsNotEncryptedOrNoUrl) {
    const auto said = [](std::string_view text) {
        const auto url = est::parse_url(text);
        return url ? "accepted" : url.error().text();
    };
    EXPECT_NE(said("http://est.example/.well-known/est").find("is not encrypted"), std::string::npos);
    for (const auto* text : {"", "est.example", "ftp://x", "https://", "https:///x", "https://e:0",
                             "https://e:65536", "https://e:", "https://e:1x", "https://e/a?b",
                             "https://e/a#b", "https://e/a b", "https://[::1", "https://e f/"})
        EXPECT_NE(said(text), "accepted") << text;
    // A password in a URL would end in logs.
    EXPECT_EQ(said("https://u:secret@e/x").find("secret"), std::string::npos);
    EXPECT_NE(said("https://u:secret@e/x"), "accepted");
}

}  // namespace
