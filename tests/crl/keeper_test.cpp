// SPDX-License-Identifier: Apache-2.0
#include "crl/keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <semaphore>

#include "base/config.hpp"
#include "base/file.hpp"
#include "support/crl_server.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using support::Identity;
using testing::HasSubstr;

base::Instant now() {
    return base::system_clock().now();
}

/// A keeper that runs, and what changes of its set are announced.
class Keeping {
  public:
    Keeping(std::vector<std::string> urls, std::filesystem::path directory,
            std::vector<pki::Certificate> anchors, const base::Clock& clock) {
        auto bundle = std::make_shared<const pki::TrustBundle>(std::move(anchors));
        crl::Keeper::Options options;
        options.settings.urls = std::move(urls);
        options.directory = std::move(directory);
        options.anchors = [bundle] { return bundle; };
        options.tls = []() -> base::Result<std::shared_ptr<const net::ClientTls>> {
            return base::fail(base::Code::unsupported, "https", "is not in this test");
        };
        auto opened = crl::Keeper::open(std::move(options), clock);
        if (!opened) throw std::runtime_error(opened.error().text());
        keeper_ = *std::move(opened);
        keeper_->on_change([this] { changed_.release(); });
        keeper_->start(serving_.first());
    }
    ~Keeping() {
        keeper_->stop();
        serving_.stop();
    }
    crl::Keeper* operator->() { return keeper_.get(); }
    bool changed() { return changed_.try_acquire_for(60s); }
    bool is_revoked(const pki::Certificate& certificate) {
        const auto set = keeper_->current();
        return std::ranges::any_of(set->all(), [&](const pki::Crl& crl) {
            return crl.find(*pki::Serial::of(certificate)) != nullptr;
        });
    }

  private:
    std::counting_semaphore<> changed_{0};
    std::unique_ptr<crl::Keeper> keeper_;
    support::ServingLoops serving_;
};

class KeeperTest : public testing::Test {
  protected:
    std::unique_ptr<Keeping> keeping(std::vector<pki::Certificate> anchors) {
        return std::make_unique<Keeping>(std::vector{server_.url()}, directory_ / "crl", std::move(anchors),
                                         clock_);
    }
    /// Lets the keeper ask once more, and waits until that has been answered and taken: it asks again only
    /// when it is done with the answer before.
    void let_ask() {
        for (int i = 0; i < 2; ++i) {
            const auto before = server_.requests();
            clock_.move(61s);
            ASSERT_TRUE(server_.await_requests(before + 1));
        }
    }

    support::SettableClock clock_;
    support::TemporaryDirectory directory_;
    support::CrlServer server_;
    Identity root_ =
        support::make_identity({.profile = pki::Profile::root, .common_name = "root", .now = now()});
    Identity ca_ = support::make_identity(
        {.profile = pki::Profile::intermediate, .common_name = "ca", .now = now()}, &root_);
    Identity device_ = support::make_identity({.common_name = "sensor", .now = now()}, &ca_);
    Identity other_ = support::make_identity({.common_name = "other", .now = now()}, &ca_);
};

TEST_F(KeeperTest, PullsEveryMinuteAndAsksOnlyForWhatIsNew) {
    server_.publish(ca_, {.revoked = {device_.certificate}});
    const auto keeper = keeping({ca_.certificate});
    ASSERT_TRUE(keeper->changed());
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
    EXPECT_FALSE(keeper->is_revoked(other_.certificate));
    EXPECT_TRUE((*keeper)->current()->complete());
    let_ask();
    EXPECT_GE(server_.not_modified(), 1U);
    server_.publish(ca_,
                    {.revoked = {device_.certificate, other_.certificate}, .number = 2, .at = now() + 1s});
    clock_.move(61s);
    ASSERT_TRUE(keeper->changed());
    EXPECT_TRUE(keeper->is_revoked(other_.certificate));
}

TEST_F(KeeperTest, KnowsWhoIsRevokedAfterARestartWithoutTheCa) {
    server_.publish(ca_, {.revoked = {device_.certificate}});
    {
        const auto keeper = keeping({ca_.certificate});
        ASSERT_TRUE(keeper->changed());
        let_ask();  // what is taken is on disk by then
    }
    server_.fail(503);
    const auto keeper = keeping({ca_.certificate});
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
    let_ask();
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
}

TEST_F(KeeperTest, WhatNobodyTrustedSignedDoesNotTakeThePlaceOfTheLastGoodOne) {
    server_.publish(ca_, {.revoked = {device_.certificate}});
    const auto keeper = keeping({ca_.certificate});
    ASSERT_TRUE(keeper->changed());
    const auto look_alike =
        support::make_identity({.profile = pki::Profile::root, .common_name = "ca", .now = now()});
    server_.publish(look_alike, {.number = 9, .at = now() + 60s});
    let_ask();
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
    server_.put("/ca.crl", base::as_bytes("no CRL at all"));
    let_ask();
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
}

TEST_F(KeeperTest, OlderOneIsNotTakenBack) {
    server_.publish(ca_, {.revoked = {device_.certificate}, .number = 2, .at = now()});
    const auto keeper = keeping({ca_.certificate});
    ASSERT_TRUE(keeper->changed());
    server_.publish(ca_, {.number = 1, .at = now() - 1h});
    let_ask();
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
}

TEST_F(KeeperTest, WhoKnowsTheRootAloneFetchesTheIssuersCertificate) {
    server_.put("/ca.crt", ca_.certificate.der());
    server_.publish(ca_, {.revoked = {device_.certificate}, .ca_issuers_url = server_.url("/ca.crt")});
    const auto keeper = keeping({root_.certificate});
    ASSERT_TRUE(keeper->changed());
    EXPECT_TRUE(keeper->is_revoked(device_.certificate));
    EXPECT_EQ(server_.requests("/ca.crt"), 1U);
}

TEST_F(KeeperTest, PointerToAnotherHostIsNotFollowed) {
    server_.publish(ca_, {.revoked = {device_.certificate}, .ca_issuers_url = "http://localhost:1/ca.crt"});
    const auto keeper = keeping({root_.certificate});
    let_ask();
    EXPECT_TRUE((*keeper)->current()->all().empty());
    EXPECT_FALSE((*keeper)->current()->complete());
}

TEST_F(KeeperTest, WithoutUrlsThereIsNoSet) {
    Keeping keeper({}, directory_ / "crl", {}, clock_);
    EXPECT_EQ(keeper->current(), nullptr);
    EXPECT_FALSE(std::filesystem::exists(directory_ / "crl"));
}

TEST(CrlUrl, IsTakenApart) {
    const auto url = crl::parse_url("http://ca.local:9080/crl/my%20ca.crl?x=1");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "ca.local");
    EXPECT_EQ(url->port, 9080);
    EXPECT_EQ(url->target, "/crl/my%20ca.crl?x=1");
    EXPECT_FALSE(url->tls);
    EXPECT_EQ(crl::parse_url("http://[::1]:80")->host, "::1");
    EXPECT_EQ(crl::parse_url("http://[::1]:80")->target, "/");
    EXPECT_EQ(crl::parse_url("HTTPS://ca")->port, 443);
    for (const auto* bad :
         {"", "ca.local", "ftp://ca/x", "http://", "http://:80/", "http://ca:0/", "http://ca:x/",
          "http://ca:70000/", "http://u@ca/", "http://ca/#f", "http://ca/a b", "http://[::1/"})
        EXPECT_FALSE(crl::parse_url(bad)) << bad;
}

TEST(CrlSettings, AreReadAndRefusedByName) {
    auto good =
        base::ConfigTable::parse("crl_urls = [\"http://ca/a.crl\"]\ncrl_max_age = \"7d\"\n", "hub.toml");
    const auto settings = crl::read_settings(*good);
    EXPECT_TRUE(good->finish());
    EXPECT_EQ(settings.urls, std::vector<std::string>{"http://ca/a.crl"});
    EXPECT_EQ(settings.max_age, std::chrono::days(7));
    auto bad = base::ConfigTable::parse("crl_urls = [\"ca/a.crl\"]\ncrl_max_age = \"soon\"\n", "hub.toml");
    (void)crl::read_settings(*bad);
    const auto wrong = bad->finish();
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().text(), HasSubstr("crl_urls"));
    EXPECT_THAT(wrong.error().text(), HasSubstr("crl_max_age"));
}

}  // namespace
