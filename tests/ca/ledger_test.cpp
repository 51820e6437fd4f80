// SPDX-License-Identifier: Apache-2.0
#include "ca/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "ca/audit_line.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "pki/digest.hpp"
#include "pki/verify.hpp"
#include "support/certificates.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto operator_name = "1000";

class LedgerTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(ca::init({.data = data()}, base::system_clock().now()));
        open();
    }
    void open() {
        ledger.reset();
        auto opened = ca::Ledger::open(data(), clock);
        ASSERT_TRUE(opened) << opened.error().text();
        ledger = *std::move(opened);
    }
    std::filesystem::path data() const { return directory / "ca"; }

    ca::Order order(const std::string& name, pki::Profile profile = pki::Profile::device) const {
        return {.profile = profile,
                .key = key.public_key(),
                .common_name = name,
                .actor = {.kind = ca::Actor::Kind::command, .id = operator_name, .peer = {}}};
    }
    pki::Certificate issue(const std::string& name) {
        auto chain = ledger->issue(order(name));
        EXPECT_TRUE(chain) << chain.error().text();
        return chain->front();
    }
    /// The audit log as it is on the disk.
    std::vector<ca::AuditLine> log() const {
        const auto text = base::read_file(ca::audit_directory(data()) / "log-000001.jsonl", "log").value();
        std::vector<ca::AuditLine> lines;
        for (const auto line : base::split(text, '\n')) {
            if (line.empty()) continue;
            auto parsed = ca::parse_audit_line(line);
            EXPECT_TRUE(parsed) << line;
            lines.push_back(*std::move(parsed));
        }
        return lines;
    }
    std::vector<std::string> kinds() const {
        std::vector<std::string> all;
        for (const auto& line : log()) all.push_back(line.kind);
        return all;
    }

    support::TemporaryDirectory directory;
    support::SettableClock clock;
    pki::PrivateKey key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    std::unique_ptr<ca::Ledger> ledger;
};

TEST_F(LedgerTest, BeginsWithWhatTheCaIs) {
    const auto lines = log();
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_THAT(kinds(), ElementsAre("genesis", "import", "import", "policy"));
    EXPECT_EQ(lines[0].seq, 1U);
    EXPECT_EQ(lines[0].prev, ca::Sha256{});
    EXPECT_EQ(lines[0].certificate, base::to_hex(ledger->root().sha256()));
    EXPECT_THAT(lines[0].detail, HasSubstr("key "));
    ASSERT_TRUE(ledger->find(ledger->root()));
    EXPECT_EQ(ledger->find(ledger->issuers().front())->issuer, "my_private_root_CA");
}

TEST_F(LedgerTest, RecordsWhatItIssuesBeforeItAnswers) {
    auto asked = order("TempSensor");
    asked.names = {"DNS:temp.example", "URI:urn:temp"};
    asked.device = "sensor-7";
    asked.label = "device";
    asked.detail = "approved by 1000";
    const auto chain = ledger->issue(asked);
    ASSERT_TRUE(chain) << chain.error().text();
    ASSERT_EQ(chain->size(), 2U);

    const auto entry = ledger->find(chain->front());
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->serial, ca::serial_of(chain->front()));
    EXPECT_EQ(entry->issuer, "my_optional_intermediate_CA");
    EXPECT_EQ(entry->profile, pki::Profile::device);
    EXPECT_EQ(entry->label, "device");
    EXPECT_EQ(entry->device, "sensor-7");
    EXPECT_EQ(entry->subject, "CN=TempSensor");
    EXPECT_EQ(entry->names, asked.names);
    EXPECT_EQ(entry->actor, "command:1000");
    EXPECT_EQ(entry->der, chain->front().der());
    EXPECT_EQ(entry->not_after, chain->front().not_after());
    EXPECT_FALSE(entry->revocation);
    EXPECT_EQ(ledger->find_key(pki::sha256(key.public_key().der()))->serial, entry->serial);

    const auto line = log().back();
    EXPECT_EQ(line.kind, "issue");
    EXPECT_EQ(line.serial, entry->serial);
    EXPECT_EQ(line.certificate, base::to_hex(chain->front().sha256()));
    EXPECT_EQ(line.detail, "approved by 1000");
    EXPECT_EQ(line.seq, ledger->audit_seq());
}

TEST_F(LedgerTest, KnowsItsCertificatesAndNoLookAlikes) {
    const auto mine = issue("a");
    open();
    EXPECT_TRUE(ledger->find(mine));
    EXPECT_TRUE(ledger->find(mine.serial_hex()));
    EXPECT_FALSE(ledger->find("4f"));
    EXPECT_FALSE(ledger->find("no serial"));
    const support::TestPki other;
    EXPECT_FALSE(ledger->find(other.root.certificate));
}

TEST_F(LedgerTest, SaysWhichCertificateReplacesWhich) {
    const auto old_one = issue("a");
    auto renewal = order("a");
    renewal.replaces = ca::serial_of(old_one);
    const auto new_one = ledger->issue(renewal)->front();
    EXPECT_EQ(ledger->find(new_one)->replaces, ca::serial_of(old_one));
    EXPECT_EQ(ledger->find(old_one)->replaced_by, ca::serial_of(new_one));
}

TEST_F(LedgerTest, RevokesForGoodButForAHold) {
    const auto serial = ca::serial_of(issue("a"));
    std::vector<std::string> told;
    ledger->on_revoked([&](const std::string& which) { told.push_back(which); });
    const ca::Actor actor{.kind = ca::Actor::Kind::command, .id = operator_name, .peer = {}};
    EXPECT_EQ(ledger->unrevoke(serial, actor).error().code, base::Code::precondition_failed);
    ASSERT_TRUE(ledger->revoke(serial, ca::Reason::certificate_hold, actor));
    EXPECT_EQ(ledger->find(serial)->revocation->reason, ca::Reason::certificate_hold);
    EXPECT_FALSE(ledger->find_key(pki::sha256(key.public_key().der())));
    ASSERT_TRUE(ledger->unrevoke(serial, actor));
    EXPECT_FALSE(ledger->find(serial)->revocation);
    ASSERT_TRUE(ledger->revoke(serial, ca::Reason::key_compromise, actor));
    EXPECT_EQ(ledger->revoke(serial, ca::Reason::unspecified, actor).error().code,
              base::Code::already_exists);
    EXPECT_EQ(ledger->unrevoke(serial, actor).error().code, base::Code::precondition_failed);
    EXPECT_EQ(ledger->revoke("4f", ca::Reason::unspecified, actor).error().code, base::Code::not_found);
    EXPECT_EQ(told.size(), 3U);

    const auto revoked = ledger->revoked("my_optional_intermediate_CA");
    ASSERT_EQ(revoked.size(), 1U);
    EXPECT_EQ(revoked[0].serial, serial);
    EXPECT_EQ(revoked[0].revocation.reason, ca::Reason::key_compromise);
    EXPECT_TRUE(ledger->revoked("my_private_root_CA").empty());
    const auto lines = log();
    EXPECT_EQ(lines.back().kind, "revoke");
    EXPECT_EQ(lines.back().reason, "keyCompromise");
    EXPECT_EQ(lines[lines.size() - 2].kind, "unrevoke");

    clock.move(std::chrono::days{90 + 6});
    EXPECT_EQ(ledger->revoked("my_optional_intermediate_CA").size(), 1U);
    clock.move(std::chrono::days{2});
    EXPECT_TRUE(ledger->revoked("my_optional_intermediate_CA").empty());
}

TEST_F(LedgerTest, RemembersBlockedDevices) {
    EXPECT_FALSE(ledger->is_blocked("dev1"));
    ASSERT_TRUE(ledger->block("dev1", true, {}));
    EXPECT_TRUE(ledger->is_blocked("dev1"));
    open();
    EXPECT_TRUE(ledger->is_blocked("dev1"));
    ASSERT_TRUE(ledger->block("dev1", false, {}));
    EXPECT_FALSE(ledger->is_blocked("dev1"));
    EXPECT_THAT(kinds(), testing::Contains("block"));
    EXPECT_EQ(kinds().back(), "unblock");
}

TEST_F(LedgerTest, ListsByEndOfValidityInPages) {
    for (const int days : {40, 10, 20}) {
        auto asked = order("dev" + std::to_string(days));
        asked.lifetime = std::chrono::days{days};
        ASSERT_TRUE(ledger->issue(asked));
    }
    const auto devices = [](const std::vector<ca::Entry>& entries) {
        std::vector<std::string> all;
        for (const auto& entry : entries) all.push_back(entry.device);
        return all;
    };
    EXPECT_THAT(devices(ledger->list({.expiring_within = std::chrono::days{30}})),
                ElementsAre("dev10", "dev20"));
    EXPECT_THAT(devices(ledger->list({.device = "dev40"})), ElementsAre("dev40"));
    EXPECT_EQ(ledger->list({.actor = "command:1000"}).size(), 3U);
    EXPECT_EQ(ledger->list({}).size(), 5U);
    const auto first = ledger->list({.most = 1});
    ASSERT_THAT(devices(first), ElementsAre("dev10"));
    EXPECT_THAT(devices(ledger->list({.after = first[0].serial, .most = 1})), ElementsAre("dev20"));
    clock.move(std::chrono::days{15});
    EXPECT_THAT(devices(ledger->list({.expiring_within = std::chrono::days{30}})),
                ElementsAre("dev20", "dev40"));
}

TEST_F(LedgerTest, CountsCrlNumbersUpAcrossStarts) {
    EXPECT_EQ(ledger->next_crl_number("my_optional_intermediate_CA").value(), 1U);
    EXPECT_EQ(ledger->next_crl_number("my_optional_intermediate_CA").value(), 2U);
    open();
    EXPECT_EQ(ledger->next_crl_number("my_optional_intermediate_CA").value(), 3U);
    EXPECT_EQ(ledger->next_crl_number("my_private_root_CA").value(), 1U);
}

TEST_F(LedgerTest, IssuesFromManyThreadsAtOnce) {
    constexpr int threads = 8, each = 25;
    std::vector<std::future<void>> running;
    for (int t = 0; t < threads; ++t)
        running.push_back(std::async(std::launch::async, [&, t] {
            for (int i = 0; i < each; ++i) issue("dev" + std::to_string(t));
        }));
    for (auto& one : running) one.get();
    std::set<std::string> serials;
    for (const auto& entry : ledger->list({.actor = "command:1000"})) serials.insert(entry.serial);
    EXPECT_EQ(serials.size(), static_cast<std::size_t>(threads * each));
    EXPECT_EQ(log().size(), 4U + threads * each);
}

TEST_F(LedgerTest, RefusesAndRecordsNothing) {
    const auto before = ledger->audit_seq();
    EXPECT_EQ(ledger->issue(order("")).error().code, base::Code::invalid_argument);
    EXPECT_EQ(ledger->issue(order("x", pki::Profile::root)).error().code, base::Code::invalid_argument);
    EXPECT_EQ(ledger->issue(order("x", pki::Profile::server)).error().code, base::Code::invalid_argument);
    clock.move(std::chrono::days{365 * 10});
    EXPECT_EQ(ledger->issue(order("x")).error().code, base::Code::unavailable);
    EXPECT_EQ(ledger->audit_seq(), before);
}

TEST_F(LedgerTest, WritesStartAndStopAndSignsAHeadAtTheEnd) {
    ledger->write({.kind = "start"});
    ledger->write({.kind = "refuse", .reason = "auth.none", .subject = "CN=\"\n\xc3\xa9"});
    open();
    const auto lines = log();
    EXPECT_EQ(lines[lines.size() - 3].kind, "start");
    EXPECT_EQ(lines[lines.size() - 2].subject, "CN=\"\n\xc3\xa9");
    EXPECT_EQ(lines.back().kind, "stop");
    const auto head = ledger->sign_head().value();
    EXPECT_THAT(head, HasSubstr("\"seq\":" + std::to_string(lines.back().seq) + ","));
    EXPECT_EQ(ledger->sign_head().value(), head);
}

TEST_F(LedgerTest, NotesANewPolicy) {
    ledger.reset();
    auto text = base::read_file(ca::config_file(data()), "configuration").value();
    ASSERT_TRUE(base::write_atomically(ca::config_file(data()), text + "[profile.device]\ndays = 3\n", 0644));
    open();
    EXPECT_EQ(kinds().back(), "policy");
    EXPECT_THAT(log().back().detail, HasSubstr(", before "));
    open();
    EXPECT_EQ(log().size(), 5U);
}

TEST_F(LedgerTest, IsOpenInOneProcessAtATime) {
    EXPECT_EQ(ca::Ledger::open(data(), clock).error().code, base::Code::address_in_use);
    EXPECT_EQ(ca::Ledger::open(directory / "none", clock).error().code, base::Code::not_found);
}

}  // namespace
