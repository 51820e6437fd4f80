// SPDX-License-Identifier: Apache-2.0
#include "ca/offline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "ca/audit_verify.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "pki/csr.hpp"
#include "pki/verify.hpp"
#include "support/certificates.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A machine with the root, one that issues, and a stick.
class Offline : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directory(stick());
        ASSERT_TRUE(ca::init({.data = root(), .root = "Deep Root", .chain = {}}, clock.now()));
    }
    fs::path root() const { return directory / "offline"; }
    fs::path online() const { return directory / "online"; }
    fs::path stick() const { return directory / "stick"; }

    base::Status request(std::vector<std::string> chain = {"A"}) {
        return ca::request_intermediate({.data = online(), .chain = std::move(chain), .stick = stick()},
                                        clock.now());
    }
    base::Status sign(bool yes = true) {
        return ca::sign_intermediate({.data = root(),
                                      .stick = stick(),
                                      .confirm =
                                          [this, yes](const std::string& question) {
                                              asked = question;
                                              return yes;
                                          }},
                                     clock);
    }
    base::Status install(std::optional<std::string> sha256 = {}) {
        return ca::install_intermediate({.data = online(),
                                         .stick = stick(),
                                         .root_sha256 = std::move(sha256),
                                         .confirm =
                                             [this](const std::string& question) {
                                                 asked = question;
                                                 return true;
                                             }},
                                        clock);
    }
    void put(const char* name, std::string_view text) const {
        ASSERT_TRUE(base::write_atomically(stick() / name, text, 0644));
    }
    std::string get(const char* name) const { return base::read_file(stick() / name, "file").value(); }

    support::TemporaryDirectory directory;
    support::SettableClock clock;
    std::string asked;
};

TEST_F(Offline, ARootOnAnotherMachineSignsWhatIssues) {
    ASSERT_TRUE(request({"A", "B"}));
    EXPECT_FALSE(fs::exists(ca::config_file(online())));
    ASSERT_TRUE(sign());
    EXPECT_THAT(asked, HasSubstr("subject      CN=A\n"));
    EXPECT_THAT(asked, HasSubstr("path length  2 "));
    ASSERT_TRUE(install());
    EXPECT_THAT(asked, HasSubstr("CN=Deep Root"));
    EXPECT_FALSE(fs::exists(ca::key_file(online(), "Deep Root")));

    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto ledger = ca::Ledger::open(online(), clock).value();
    const auto chain =
        ledger->issue({.profile = pki::Profile::edge_ca, .key = key.public_key(), .common_name = "edge"})
            .value();
    ASSERT_EQ(chain.size(), 3U);
    EXPECT_EQ(chain[1].common_name(), "B");
    const auto offline_root = ca::Ledger::open(root(), clock).value()->root();
    const pki::TrustBundle trust({offline_root});
    EXPECT_TRUE(pki::verify({.chain = chain, .trust = trust, .now = clock.now()}).verdict.accepted());
    // What was done offline is in the log of the machine that issues.
    EXPECT_TRUE(ca::verify_audit(online())->clean());
    const auto log = base::read_file(ca::audit_directory(online()) / "log-000001.jsonl", "log").value();
    EXPECT_THAT(log, HasSubstr("\"kind\":\"keyceremony\""));
    EXPECT_THAT(log, HasSubstr("audit head of the root: "));
    EXPECT_TRUE(ca::verify_audit(root())->clean());
}

TEST_F(Offline, NothingIsSignedUnlessItIsConfirmed) {
    ASSERT_TRUE(request());
    EXPECT_EQ(sign(false).error().code, base::Code::permission_denied);
    EXPECT_FALSE(fs::exists(stick() / "certificate.pem"));
}

TEST_F(Offline, TheStickIsHostile) {
    ASSERT_TRUE(request());
    const auto wish = get("request.json");
    const auto csr = get("request.csr.pem");
    for (const std::string& bad : std::vector<std::string>{
             "", "{}", "[]", "{\"profile\":\"intermediate\",\"chain\":[]}",
             "{\"profile\":\"intermediate\",\"chain\":[\"../x\"],\"made\":\"2026-11-25T10:00:00Z\"}",
             "{\"profile\":\"root\",\"chain\":[\"A\"]}", std::string(70'000, 'x'), std::string(2000, '[')}) {
        put("request.json", bad);
        EXPECT_FALSE(sign()) << bad.substr(0, 80);
    }
    put("request.json", wish);
    const auto other = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    put("request.csr.pem", pki::make_csr_pem({.common_name = "A", .ca = true}, other).value());
    EXPECT_THAT(sign().error().reason, HasSubstr("does not fit request.json"));
    put("request.csr.pem", csr.substr(0, csr.size() / 2));
    EXPECT_FALSE(sign());
    fs::remove(stick() / "request.csr.pem");
    fs::create_symlink("/etc/passwd", stick() / "request.csr.pem");
    EXPECT_THAT(sign().error().reason, HasSubstr("no plain file"));
    fs::remove(stick() / "request.csr.pem");
    put("request.csr.pem", csr);
    clock.move(std::chrono::days{31});
    EXPECT_THAT(sign().error().reason, HasSubstr("too long ago"));
    clock.move(-std::chrono::days{31});
    EXPECT_TRUE(sign());
}

TEST_F(Offline, WhatComesBackMustBeWhatWasAskedFor) {
    ASSERT_TRUE(request());
    EXPECT_THAT(install().error().reason, HasSubstr("is not there"));
    ASSERT_TRUE(sign());
    const auto certificate = get("certificate.pem");
    const auto root_pem = get("root.pem");

    const support::TestPki other;
    put("certificate.pem", other.intermediate.certificate.pem());
    EXPECT_THAT(install().error().reason, HasSubstr("not for the key that was made here"));
    put("certificate.pem", certificate);
    put("root.pem", other.root.certificate.pem());
    EXPECT_THAT(install().error().reason, HasSubstr("does not verify"));
    put("root.pem", "nonsense");
    EXPECT_FALSE(install());
    put("root.pem", root_pem);
    EXPECT_THAT(install("00:11").error().reason, HasSubstr("another root"));
    EXPECT_FALSE(fs::exists(ca::config_file(online())));
    const auto sha256 = pki::with_colons(pki::Certificate::from_pem(root_pem)->sha256());
    EXPECT_TRUE(install(sha256));
    EXPECT_EQ(install().error().code, base::Code::not_found);
}

TEST_F(Offline, APathLengthWithoutRoomIsRefused) {
    ASSERT_TRUE(request({"A", "B"}));
    // A root that signs for less than was asked.
    auto text = get("request.json");
    text.replace(text.find("[\"A\",\"B\"]"), 9, "[\"A\"]");
    put("request.json", text);
    ASSERT_TRUE(sign());
    const auto done = install();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().reason, HasSubstr("path length"));
    EXPECT_FALSE(fs::exists(ca::config_file(online())));
}

TEST_F(Offline, ARequestReplacesNoCa) {
    EXPECT_EQ(ca::request_intermediate({.data = root(), .chain = {"A"}, .stick = stick()}, clock.now())
                  .error()
                  .code,
              base::Code::already_exists);
    ASSERT_TRUE(request());
    EXPECT_EQ(request().error().code, base::Code::already_exists);
}

}  // namespace
