// SPDX-License-Identifier: Apache-2.0
#include "pki/permitted_names.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "pki/verify.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

TEST(PermittedNames, AreHostNamesAndNetworks) {
    for (const std::string good : {"DNS:edge1", "DNS:edge1.example.com", "IP:10.1.0.0/16", "IP:10.1.2.3/32",
                                   "IP:0.0.0.0/0", "IP:fd00::/8"})
        EXPECT_TRUE(pki::check_permitted_name(good)) << good;
    for (const std::string bad :
         {"edge1", "DNS:", "DNS:*.x", "DNS:.x", "DNS:a b", "IP:10.1.0.0", "IP:10.1.0.0/33", "IP:10.1.2.0/16",
          "IP:x/8", "IP:10.1.0.0/", "IP:10.1.0.0/8x", "URI:x", "email:a@b", ""})
        EXPECT_FALSE(pki::check_permitted_name(bad)) << bad;
}

TEST(PermittedNames, HoldACaToThemInOpensslsEyesAndInOurs) {
    const support::TestPki ca;
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto edge = pki::issue({.profile = pki::Profile::edge_ca,
                                  .key = key.public_key(),
                                  .common_name = "edge",
                                  .permitted = {"DNS:edge1", "IP:10.1.0.0/16"}},
                                 &ca.intermediate.certificate, ca.intermediate.key, support::test_time());
    ASSERT_TRUE(edge) << edge.error().text();
    const support::TemporaryDirectory directory;
    const auto put = [&](const char* name, const std::string& text) {
        EXPECT_TRUE(base::write_atomically(directory / name, text, 0644));
        return (directory / name).string();
    };
    const auto root = put("root.pem", ca.root.certificate.pem());
    const auto above = put("above.pem", edge->pem() + ca.intermediate.certificate.pem());
    const struct {
        std::string name;
        bool inside;
    } rows[] = {{"DNS:edge1", true},      {"DNS:m.edge1", true},   {"IP:10.1.2.3", true},
                {"DNS:edge2", false},     {"DNS:notedge1", false}, {"IP:10.2.0.1", false},
                {"DNS:edge1.evil", false}};
    for (const auto& row : rows) {
        const auto leaf = pki::issue({.profile = pki::Profile::server,
                                      .key = key.public_key(),
                                      .common_name = "edge1",
                                      .names = {row.name}},
                                     &*edge, key, support::test_time());
        ASSERT_TRUE(leaf);
        const auto file = put("leaf.pem", leaf->pem());
        const auto theirs = support::run({"openssl", "verify", "-attime",
                                          std::to_string(support::test_time().time_since_epoch().count()),
                                          "-CAfile", root, "-untrusted", above, file});
        EXPECT_EQ(theirs.exit_code == 0, row.inside) << row.name << theirs.out << theirs.err;
        const pki::Chain chain{*leaf, *edge, ca.intermediate.certificate};
        const auto ours = pki::verify(
            {.chain = chain, .trust = pki::TrustBundle({ca.root.certificate}), .now = support::test_time()});
        EXPECT_EQ(ours.verdict.accepted(), row.inside) << row.name;
    }
}

TEST(PermittedNames, AreForCasAlone) {
    const support::TestPki ca;
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    EXPECT_FALSE(pki::issue({.profile = pki::Profile::device,
                             .key = key.public_key(),
                             .common_name = "x",
                             .permitted = {"DNS:edge1"}},
                            &ca.intermediate.certificate, ca.intermediate.key, support::test_time()));
}

}  // namespace
