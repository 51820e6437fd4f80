// SPDX-License-Identifier: Apache-2.0
#include "gateway/hub_tls.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace {

TEST(HubTls, IsMadeAnewWhereTheTrustedCertificatesChangeAndStaysWhereTheyCannotBeRead) {
    support::TemporaryDirectory directory;
    const support::TestPki pki;
    const auto another = support::make_identity({.profile = pki::Profile::root, .common_name = "another"});
    const auto file = directory / "trusted.pem";
    const auto write = [&](const pki::Chain& chain) {
        ASSERT_TRUE(base::write_atomically(file, pki::to_pem(chain), base::public_mode));
    };
    write({pki.root.certificate, another.certificate});
    gateway::Config config;
    config.hub.trusted_certs = {file.string()};
    const auto tls = gateway::HubTls::open(config);
    ASSERT_TRUE(tls) << tls.error().text();
    const auto both = (*tls)->get();
    EXPECT_EQ(both->trust().anchors().size(), 2U);

    write({another.certificate, pki.root.certificate});
    EXPECT_FALSE((*tls)->refresh().value()) << "the order is no change";
    EXPECT_EQ((*tls)->get(), both);

    ASSERT_TRUE(base::write_atomically(file, "nonsense", base::public_mode));
    EXPECT_FALSE((*tls)->refresh());
    EXPECT_EQ((*tls)->get(), both);

    write({pki.root.certificate});
    EXPECT_TRUE((*tls)->refresh().value());
    ASSERT_EQ((*tls)->get()->trust().anchors().size(), 1U) << "what was taken out is gone";
    EXPECT_EQ((*tls)->get()->trust().anchors().front(), pki.root.certificate);
}

}  // namespace
