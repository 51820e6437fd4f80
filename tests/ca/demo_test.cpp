// SPDX-License-Identifier: Apache-2.0
#include "ca/demo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "ca/audit_verify.hpp"
#include "pki/key.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(DemoCertificates, MakesOneOfEveryKindWithItsKeyAndAReadme) {
    const support::TemporaryDirectory place;
    const auto directory = place / "demo";
    const auto made = ca::make_demo_certificates({.directory = directory}, base::system_clock());
    ASSERT_TRUE(made) << made.error().text();
    const auto readme = base::read_file(directory / "README.md", "file").value();
    for (const std::string name :
         {"root-ca", "intermediate-ca", "edge-ca", "edge-hub-server", "hub-server", "edge-device-identity",
          "downstream-device", "client", "est-identity", "bootstrap"}) {
        const auto file = directory / (name + ".pem");
        const auto key_file = directory / (name + ".key.pem");
        const auto pem = base::read_file(file, "certificate");
        ASSERT_TRUE(pem) << pem.error().text();
        const auto chain = pki::certificates_from_pem(*pem, name).value();
        struct stat info{};
        ASSERT_EQ(::stat(key_file.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777U, 0600U);
        EXPECT_TRUE(pki::PrivateKey::load(key_file.string(), name)->matches(chain.front())) << name;
        EXPECT_THAT(readme, HasSubstr("`" + name + "`"));
        const bool server = name.ends_with("server");
        const bool ca = name.ends_with("-ca");
        std::vector<std::string> verify{"openssl",    "verify",
                                        "-CAfile",    (directory / "root-ca.pem").string(),
                                        "-untrusted", file.string()};
        if (!ca)
            verify.insert(verify.end(), {"-x509_strict", "-purpose", server ? "sslserver" : "sslclient"});
        verify.push_back(file.string());
        const auto done = support::run(verify);
        EXPECT_EQ(done.exit_code, 0) << name << done.out << done.err;
    }
    EXPECT_TRUE(ca::verify_audit(directory / "ca")->clean());

    const auto again = ca::make_demo_certificates({.directory = directory}, base::system_clock());
    EXPECT_EQ(again.error().code, base::Code::already_exists);
}

TEST(DemoCertificates, LeavesNothingBehindWhenItFails) {
    const support::TemporaryDirectory place;
    const auto directory = place / "demo";
    EXPECT_FALSE(
        ca::make_demo_certificates({.directory = directory, .hub = "under_score"}, base::system_clock()));
    EXPECT_FALSE(fs::exists(directory));
}

}  // namespace
