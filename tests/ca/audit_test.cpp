// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "ca/audit_head.hpp"
#include "ca/audit_line.hpp"
#include "ca/audit_reader.hpp"
#include "ca/audit_tree.hpp"
#include "ca/audit_verify.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "pki/digest.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<ca::Sha256> some_hashes(std::size_t count) {
    std::vector<ca::Sha256> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(pki::sha256(base::as_bytes(std::to_string(i))));
    return all;
}

TEST(AuditTree, GrowsToTheRootOfRfc6962) {
    // The tree of two is the hash of 0x01 and both.
    const auto two = some_hashes(2);
    base::Bytes both{std::byte{1}};
    for (const auto& hash : two) both.insert(both.end(), hash.begin(), hash.end());
    EXPECT_EQ(ca::tree_root(two), pki::sha256(both));
    EXPECT_EQ(ca::AuditTree{}.root(), pki::sha256({}));
    EXPECT_EQ(ca::tree_root(some_hashes(1)), some_hashes(1).front());
    ca::AuditTree tree;
    for (std::size_t count = 1; count <= 70; ++count) {
        tree.append(some_hashes(count).back());
        EXPECT_EQ(tree.root(), ca::tree_root(some_hashes(count)));
        const auto kept = ca::AuditTree::from_bytes(tree.count(), tree.bytes());
        ASSERT_TRUE(kept);
        EXPECT_EQ(kept->root(), tree.root());
        const auto bytes = tree.bytes();
        EXPECT_FALSE(ca::AuditTree::from_bytes(tree.count(), std::span(bytes).subspan(1)));
    }
}

TEST(AuditTree, ProvesEachEntryAndNoOther) {
    for (const std::size_t count : {1UL, 2UL, 3UL, 7UL, 8UL, 33UL}) {
        const auto entries = some_hashes(count);
        const auto root = ca::tree_root(entries);
        for (std::size_t i = 0; i < count; ++i) {
            auto proof = ca::inclusion_proof(entries, i);
            EXPECT_TRUE(ca::check_inclusion(entries[i], i, count, proof, root)) << count << " " << i;
            EXPECT_FALSE(ca::check_inclusion(entries[(i + 1) % count], i, count, proof, root) && count > 1);
            EXPECT_FALSE(ca::check_inclusion(entries[i], i, count, proof, ca::Sha256{}));
            EXPECT_FALSE(ca::check_inclusion(entries[i], count, count, proof, root));
            proof.push_back(root);
            EXPECT_FALSE(ca::check_inclusion(entries[i], i, count, proof, root));
        }
    }
}

TEST(AuditTree, ProvesThatALaterTreeGoesOnFromAnEarlierOne) {
    for (std::size_t count = 1; count <= 20; ++count) {
        const auto entries = some_hashes(count);
        const auto root = ca::tree_root(entries);
        for (std::size_t earlier = 1; earlier <= count; ++earlier) {
            const auto old_root = ca::tree_root(std::span(entries).first(earlier));
            const auto proof = ca::consistency_proof(entries, earlier);
            EXPECT_TRUE(ca::check_consistency(earlier, old_root, count, root, proof))
                << earlier << " " << count;
            EXPECT_FALSE(ca::check_consistency(earlier, ca::Sha256{}, count, root, proof));
            EXPECT_FALSE(ca::check_consistency(earlier, old_root, count, ca::Sha256{}, proof));
        }
    }
}

TEST(AuditLine, KeepsEveryValueOnOneLineOfAscii) {
    for (const std::string& value :
         std::vector{std::string("plain"), std::string("\"}\n{\"v\":1,\"seq\":2"), std::string("\\u0041"),
                     std::string("\0x", 2), std::string("\xc3\xa9\xe2\x80\xae"),
                     std::string("\xf0\x9f\x98\x80"), std::string("\x7f\x1b[2J")}) {
        ca::AuditLine line{.seq = 7, .time = "2026-11-25T10:00:00.000Z", .kind = "refuse", .subject = value};
        const auto text = ca::format(line);
        for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << text;
        const auto back = ca::parse_audit_line(text);
        ASSERT_TRUE(back) << text;
        EXPECT_EQ(back->subject, value);
        EXPECT_EQ(back->hash, line.hash);
        boost::system::error_code error;
        const auto json = boost::json::parse(text, error);
        ASSERT_FALSE(error) << text;
        EXPECT_EQ(json.at("subject").as_string(), value);
    }
}

TEST(AuditLine, CutsLongValuesWithTheHashOfTheWhole) {
    const std::string value(5000, 'x');
    ca::AuditLine line{.seq = 1, .kind = "refuse", .subject = value};
    const auto text = ca::format(line);
    EXPECT_LT(text.size(), 2000U);
    EXPECT_THAT(text, HasSubstr(base::to_hex(pki::sha256(base::as_bytes(value)))));
    EXPECT_TRUE(ca::parse_audit_line(text));
}

TEST(AuditLine, RefusesEverythingElse) {
    ca::AuditLine line{.seq = 12, .time = "t", .kind = "issue", .detail = "\xc3\xa9"};
    const auto good = ca::format(line);
    ASSERT_TRUE(ca::parse_audit_line(good));
    EXPECT_FALSE(ca::parse_audit_line(""));
    EXPECT_FALSE(ca::parse_audit_line(good + " "));
    EXPECT_FALSE(ca::parse_audit_line(" " + good));
    for (std::size_t at = 0; at < good.size(); ++at) {
        EXPECT_FALSE(ca::parse_audit_line(good.substr(0, at)));
        for (const char flip : {1, 32, 127}) {
            auto bad = good;
            bad[at] = static_cast<char>(bad[at] ^ flip);
            EXPECT_FALSE(ca::parse_audit_line(bad)) << bad;
        }
    }
}

TEST(AuditHead, IsReadOnlyWithTheSignatureOfItsKey) {
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto other = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const ca::SignedHead head{.log = "ab", .seq = 3, .time = "t", .key = "k"};
    const auto line = ca::sign(head, key).value();
    EXPECT_EQ(ca::read_signed_head(line, key.public_key())->seq, 3U);
    EXPECT_FALSE(ca::read_signed_head(line, other.public_key()));
    EXPECT_FALSE(ca::read_signed_head(line + " ", key.public_key()));
    for (std::size_t at = 0; at < line.size(); ++at) {
        auto bad = line;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        EXPECT_FALSE(ca::read_signed_head(bad, key.public_key())) << bad;
    }
}

/// A CA with a log of 100 entries, and copies of it that a test may spoil.
class Tampered : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        world = std::make_unique<World>();
        ASSERT_TRUE(ca::init({.data = world->data()}, base::system_clock().now()));
        const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
        {
            const auto ledger = ca::Ledger::open(world->data(), base::system_clock()).value();
            for (int i = 0; i < 40; ++i) {
                const ca::Order order{.profile = pki::Profile::device,
                                      .key = key.public_key(),
                                      .common_name = "dev" + std::to_string(i)};
                ASSERT_TRUE(ledger->issue(order));
            }
            world->early_head = ledger->sign_head().value();
        }
        const auto ledger = ca::Ledger::open(world->data(), base::system_clock()).value();
        const auto serial = ledger->list({.device = "dev3"}).front().serial;
        ASSERT_TRUE(ledger->revoke(serial, ca::Reason::key_compromise, {}));
        while (ledger->audit_seq() < 100) ASSERT_TRUE(ledger->block("dev4", true, {}));
    }
    static void TearDownTestSuite() { world.reset(); }

    struct World {
        support::TemporaryDirectory directory;
        std::string early_head;
        fs::path data() const { return directory / "ca"; }
    };
    static std::unique_ptr<World> world;

    void SetUp() override {
        fs::copy(world->data(), data(), fs::copy_options::recursive);
        good = read(log_file());
        for (const auto line : base::split(good, '\n'))
            if (!line.empty()) lines.emplace_back(line);
        ASSERT_EQ(lines.size(), 100U);
        ASSERT_TRUE(ca::verify_audit(data())->clean());
    }
    fs::path data() const { return directory / "ca"; }
    fs::path log_file() const { return ca::audit_directory(data()) / "log-000001.jsonl"; }
    static std::string read(const fs::path& file) { return base::read_file(file, "log").value(); }
    static void write(const fs::path& file, std::string_view text) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    }
    /// What is reported of a log of these lines.
    ca::AuditReport with(const std::vector<std::string>& changed) const {
        std::string text;
        for (const auto& line : changed) text += line + "\n";
        write(log_file(), text);
        return ca::verify_audit(data()).value();
    }
    /// The entry `at` (from 0) with another subject and its hash computed anew, and all behind it if wanted.
    std::vector<std::string> forged(std::size_t at, bool all_behind) const {
        auto changed = lines;
        auto line = ca::parse_audit_line(lines[at]).value();
        line.subject = "CN=forged";
        changed[at] = ca::format(line);
        for (std::size_t i = at + 1; all_behind && i < changed.size(); ++i) {
            auto next = ca::parse_audit_line(lines[i]).value();
            next.prev = line.hash;
            changed[i] = ca::format(next);
            line = next;
        }
        return changed;
    }
    support::TemporaryDirectory directory;
    std::string good;
    std::vector<std::string> lines;
};

std::unique_ptr<Tampered::World> Tampered::world;

TEST_F(Tampered, EveryByteThatIsFlippedIsFoundAndItsEntryNamed) {
    const auto reader = ca::AuditReader::open(data()).value();
    std::fstream file(log_file(), std::ios::binary | std::ios::in | std::ios::out);
    const auto put = [&](std::size_t at, char octet) {
        file.seekp(static_cast<std::streamoff>(at));
        file.put(octet);
        file.flush();
    };
    std::uint64_t entry = 1;
    for (std::size_t at = 0; at < good.size(); ++at) {
        // Every octet of some entries, and a few in each field of all of them.
        if (entry % 10 != 1 && at % 11 != 0 && good[at] != '\n') continue;
        put(at, static_cast<char>(good[at] ^ (1 << (at % 7))));
        const auto report = ca::verify_audit(reader).value();
        ASSERT_EQ(report.entry, entry) << at << ": " << report.problem;
        put(at, good[at]);
        if (good[at] == '\n') ++entry;
    }
    EXPECT_TRUE(ca::verify_audit(reader)->clean());
}

TEST_F(Tampered, EachEntryRemovedDoubledOrSwappedIsFound) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto changed = lines;
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(with(changed).entry, i + 1);
        changed = lines;
        changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
        EXPECT_EQ(with(changed).entry, i + 2);
        if (i == 0) continue;
        changed = lines;
        std::swap(changed[i - 1], changed[i]);
        EXPECT_EQ(with(changed).entry, i);
    }
}

TEST_F(Tampered, TheTailCutAtEachPointIsFound) {
    for (std::size_t kept = 0; kept < lines.size(); ++kept) {
        const auto report = with({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(kept)});
        EXPECT_EQ(report.entry, kept + 1) << report.problem;
    }
    for (std::size_t size = 1; size < good.size(); size += 97) {
        write(log_file(), std::string_view(good).substr(0, size));
        EXPECT_FALSE(ca::verify_audit(data())->clean()) << size;
    }
}

TEST_F(Tampered, AnEntryWithItsHashMadeAnewIsFoundByTheNext) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto report = with(forged(i, false));
        // What a head signs is known to be wrong before the next entry says which one.
        if (i + 1 == 44 || i + 1 == 100)
            EXPECT_THAT(report.problem, HasSubstr("are not what the head of entry"));
        else
            EXPECT_EQ(report.entry, i + 1);
    }
}

TEST_F(Tampered, AllHashesMadeAnewAreFoundByTheNextSignedHead) {
    const auto head = ca::parse_head(world->early_head).value();
    ASSERT_EQ(head.seq, 44U);
    const auto report = with(forged(20, true));
    EXPECT_FALSE(report.clean());
    EXPECT_LE(report.entry, 21U);
    EXPECT_THAT(report.problem, HasSubstr("are not what the head of entry 44 signs"));
}

TEST_F(Tampered, EveryByteOfTheHeadsIsLookedAt) {
    const auto heads = read(ca::audit_heads_file(data()));
    for (std::size_t at = 0; at < heads.size(); at += 3) {
        auto bad = heads;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        write(ca::audit_heads_file(data()), bad);
        ASSERT_FALSE(ca::verify_audit(data())->clean()) << at;
    }
    write(ca::audit_heads_file(data()), heads.substr(0, heads.find('\n') + 1));
    EXPECT_THAT(ca::verify_audit(data())->problem, HasSubstr("heads end with number 1"));
    write(ca::audit_heads_file(data()), "");
    EXPECT_FALSE(ca::verify_audit(data())->clean());
}

TEST_F(Tampered, TextBehindTheEndIsFound) {
    write(log_file(), good + lines.back() + "\n");
    EXPECT_EQ(ca::verify_audit(data())->entry, 101U);
    write(log_file(), good + "\n");
    EXPECT_FALSE(ca::verify_audit(data())->clean());
    write(log_file(), good);
    write(ca::audit_directory(data()) / "log-000002.jsonl", "");
    EXPECT_FALSE(ca::verify_audit(data())->clean());
}

TEST_F(Tampered, NoBooksAreOpenedOverADamagedEnd) {
    write(log_file(), std::string_view(good).substr(0, good.size() - 1));
    EXPECT_EQ(ca::Ledger::open(data(), base::system_clock()).error().code, base::Code::malformed);
    auto bad = good;
    bad[good.size() - 200] ^= 1;
    write(log_file(), bad);
    EXPECT_EQ(ca::Ledger::open(data(), base::system_clock()).error().code, base::Code::malformed);
    EXPECT_EQ(read(log_file()), bad);
    fs::remove(ca::inventory_file(data()));
    fs::remove(ca::inventory_file(data()).string() + "-wal");
    EXPECT_EQ(ca::Ledger::open(data(), base::system_clock()).error().code, base::Code::malformed);
}

TEST_F(Tampered, AnAnchorKeptElsewhereIsCompared) {
    EXPECT_TRUE(ca::verify_audit(data(), {world->early_head})->clean());
    const auto other = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto forged_head = ca::sign(ca::parse_head(world->early_head).value(), other).value();
    EXPECT_THAT(ca::verify_audit(data(), {forged_head})->problem, HasSubstr("an anchor is not a head"));
    // A log that was rolled back with its heads and its inventory, which nothing else can see.
    support::TemporaryDirectory other_place;
    ASSERT_TRUE(ca::init({.data = other_place / "ca"}, base::system_clock().now()));
    const auto ledger = ca::Ledger::open(other_place / "ca", base::system_clock()).value();
    EXPECT_FALSE(ca::verify_audit(other_place / "ca", {world->early_head})->clean());
}

TEST_F(Tampered, AnEntryIsProvenByTheHeadBehindIt) {
    const auto proof = boost::json::parse(ca::prove_entry(data(), 17).value());
    const auto line = ca::parse_audit_line(std::string_view(proof.at("entry").as_string())).value();
    EXPECT_EQ(line.seq, 17U);
    const auto head = ca::parse_head(std::string_view(proof.at("head").as_string())).value();
    EXPECT_EQ(head.seq, 100U);
    std::vector<ca::Sha256> path;
    for (const auto& each : proof.at("path").as_array()) {
        const auto bytes = base::from_hex(std::string_view(each.as_string())).value();
        std::copy(bytes.begin(), bytes.end(), path.emplace_back().begin());
    }
    EXPECT_TRUE(ca::check_inclusion(line.hash, 16, head.seq, path, head.root));
    EXPECT_EQ(ca::prove_entry(data(), 101).error().code, base::Code::not_found);
    EXPECT_EQ(ca::prove_entry(data(), 0).error().code, base::Code::not_found);
}

}  // namespace
