// SPDX-License-Identifier: Apache-2.0
#include "ca/rollover.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "ca/audit_verify.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "pki/verify.hpp"
#include "support/process.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RolloverTest : public testing::Test {
  protected:
    void make(std::vector<std::string> chain) {
        ASSERT_TRUE(ca::init({.data = data(), .root = "R", .chain = std::move(chain)}, clock.now()));
        old_root = ledger()->root();
    }
    std::filesystem::path data() const { return directory / "ca"; }
    std::unique_ptr<ca::Ledger> ledger() { return ca::Ledger::open(data(), clock).value(); }
    pki::Chain issue(const std::string& name, std::optional<std::string> replaces = {}) {
        const ca::Order order{.profile = pki::Profile::device,
                              .key = key.public_key(),
                              .common_name = name,
                              .replaces = std::move(replaces)};
        return ledger()->issue(order).value();
    }
    base::Status next(bool force = false) { return ca::rollover_next(data(), {}, force, clock); }
    ca::RolloverStatus status() { return ca::rollover_status(data(), clock.now()).value(); }

    bool verifies(const pki::Chain& chain, const pki::Certificate& root) {
        return pki::verify({.chain = chain,
                            .trust = pki::TrustBundle({root}),
                            .purpose = pki::Purpose::client,
                            .now = clock.now()})
            .verdict.accepted();
    }
    /// openssl verify with what /cacerts has as the untrusted rest, in its order.
    bool openssl_accepts(const pki::Chain& chain, const pki::Certificate& root, const pki::Chain& published) {
        EXPECT_TRUE(base::write_atomically(directory / "root.pem", root.pem(), 0644));
        EXPECT_TRUE(base::write_atomically(directory / "leaf.pem", chain.front().pem(), 0644));
        pki::Chain rest(chain.begin() + 1, chain.end());
        rest.insert(rest.end(), published.begin(), published.end());
        EXPECT_TRUE(base::write_atomically(directory / "rest.pem", pki::to_pem(rest), 0644));
        const auto done = support::run(
            {"openssl", "verify", "-attime", std::to_string(clock.now().time_since_epoch().count()),
             "-CAfile", (directory / "root.pem").string(), "-untrusted", (directory / "rest.pem").string(),
             (directory / "leaf.pem").string()});
        return done.exit_code == 0;
    }

    support::TemporaryDirectory directory;
    support::SettableClock clock;
    pki::PrivateKey key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    std::optional<pki::Certificate> old_root;
};

TEST_F(RolloverTest, NoClientIsWithoutAnAnchorAtAnyStep) {
    for (const bool intermediates : {true, false}) {
        std::filesystem::remove_all(data());
        make(intermediates ? std::vector<std::string>{"A", "B"} : std::vector<std::string>{});
        issue("early");
        EXPECT_EQ(status().next, "prepare");

        clock.move(std::chrono::hours{1});
        ASSERT_TRUE(next());
        EXPECT_EQ(status().next, "switch");
        EXPECT_THAT(status().devices, ElementsAre("early"));
        const auto prepared = ledger();
        EXPECT_EQ(prepared->root(), *old_root);
        const auto published = prepared->published();
        ASSERT_EQ(published.size(), (intermediates ? 2U : 0U) + 4U);
        // Roots last: OpenSSL takes the first certificate of a name, and a self-signed one ends its search.
        EXPECT_TRUE(published[published.size() - 1].issuer() == published[published.size() - 1].subject());
        const auto new_root = published.back();
        EXPECT_EQ(new_root.common_name(), "R G2");
        ASSERT_EQ(published[published.size() - 2], *old_root);

        EXPECT_EQ(next().error().code, base::Code::address_in_use);
    }
}

TEST_F(RolloverTest, EachStepVerifiesForOldAndNewClients) {
    make({"A", "B"});
    const auto early = issue("dev1");
    clock.move(std::chrono::hours{1});
    ASSERT_TRUE(next());
    const auto published = ledger()->published();
    const auto new_root = published.back();
    EXPECT_TRUE(openssl_accepts(early, *old_root, published));
    EXPECT_TRUE(openssl_accepts(early, new_root, published));

    const auto blocked = next();
    ASSERT_FALSE(blocked);
    EXPECT_EQ(blocked.error().code, base::Code::precondition_failed);
    EXPECT_THAT(blocked.error().reason, HasSubstr("1 certificate (dev1)"));
    const auto renewed = issue("dev1", ca::serial_of(early.front()));
    clock.move(std::chrono::hours{1});
    ASSERT_TRUE(next()) << next().error().text();

    const auto switched = ledger();
    EXPECT_EQ(switched->root(), new_root);
    EXPECT_EQ(switched->config().root, "R G2");
    const auto late =
        switched->issue({.profile = pki::Profile::device, .key = key.public_key(), .common_name = "dev2"})
            .value();
    // Leaf, B, A under the new root, and the new root under the old one; no root.
    ASSERT_EQ(late.size(), 4U);
    EXPECT_EQ(late[2].issuer(), "CN=R G2");
    EXPECT_EQ(late[3].subject(), "CN=R G2");
    EXPECT_EQ(late[3].issuer(), "CN=R");
    EXPECT_TRUE(verifies(late, *old_root));
    EXPECT_TRUE(verifies(late, new_root));
    EXPECT_TRUE(openssl_accepts(late, *old_root, switched->published()));
    EXPECT_TRUE(openssl_accepts(late, new_root, switched->published()));
    EXPECT_TRUE(openssl_accepts(renewed, *old_root, switched->published()));
    EXPECT_TRUE(openssl_accepts(renewed, new_root, switched->published()));
    const auto chain =
        pki::certificates_from_pem(base::read_file(ca::full_chain_file(data()), "chain").value(), "chain")
            .value();
    EXPECT_EQ(chain.back(), new_root);
    EXPECT_EQ(ca::read_config(ca::config_file(data()))->root, "R G2");
}

TEST_F(RolloverTest, EndsOnceWhatTheOldRootStandsForHasEnded) {
    make({"A"});
    issue("dev1");
    clock.move(std::chrono::hours{1});
    ASSERT_TRUE(next());
    ASSERT_TRUE(next(true));
    const auto last = issue("dev2");
    EXPECT_EQ(next().error().code, base::Code::precondition_failed);
    clock.move(std::chrono::days{91});
    ASSERT_TRUE(next());
    EXPECT_EQ(status().rollover.step, ca::Rollover::Step::retired);
    const auto after = ledger();
    // A, the old root under the new one until it ends, the new root.
    ASSERT_EQ(after->published().size(), 3U);
    EXPECT_EQ(after->published()[1].subject(), "CN=R");
    EXPECT_EQ(after->issuers().size(), 1U);
    EXPECT_TRUE(ca::verify_audit(data())->clean());
}

TEST_F(RolloverTest, NeedsTheKeyOfTheRootAndSaysSo) {
    make({"A"});
    std::filesystem::rename(ca::key_file(data(), "R"), directory / "away.key");
    const auto done = next();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().fix, HasSubstr("bring it back"));
    EXPECT_EQ(status().rollover.step, ca::Rollover::Step::none);
    std::filesystem::rename(directory / "away.key", ca::key_file(data(), "R"));
    EXPECT_TRUE(next());
}

TEST(RolloverName, CountsGenerations) {
    EXPECT_EQ(ca::next_root_name("R"), "R G2");
    EXPECT_EQ(ca::next_root_name("R G2"), "R G3");
    EXPECT_EQ(ca::next_root_name("My Gx"), "My Gx G2");
}

}  // namespace
