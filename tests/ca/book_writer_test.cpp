// SPDX-License-Identifier: Apache-2.0
#include "ca/book_writer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <utility>

#include "ca/audit_reader.hpp"
#include "ca/audit_verify.hpp"
#include "ca/inventory_rows.hpp"
#include "ca/layout.hpp"
#include "pki/digest.hpp"
#include "support/temporary_directory.hpp"

namespace {

using testing::HasSubstr;
using Turn = ca::BookWriter::Turn;

/// Books without a CA, on calls to the system that a test lets fail.
class Books : public testing::Test {
  protected:
    std::unique_ptr<ca::BookWriter> open(ca::BookWriter::Settings settings = {}) {
        auto opened = try_open(std::move(settings));
        EXPECT_TRUE(opened) << opened.error().text();
        if (!opened) return nullptr;
        auto writer = *std::move(opened);
        if (writer->is_empty()) {
            EXPECT_TRUE(add(*writer, "genesis", "key " + base::to_base64(key.public_key().der())));
        }
        return writer;
    }
    base::Result<std::unique_ptr<ca::BookWriter>> try_open(ca::BookWriter::Settings settings = {}) {
        settings.directory = ca::audit_directory(data());
        settings.calls = calls;
        return ca::BookWriter::open(
            store::Database::open(ca::inventory_file(data()), store::Database::Access::read_write,
                                  ca::rows::schema())
                .value(),
            key.share(), base::system_clock(), std::move(settings));
    }
    static base::Status add(ca::BookWriter& writer, std::string kind, std::string detail = {}) {
        return writer.run([&](Turn& turn) -> base::Status {
            turn.lines.push_back({.kind = kind, .detail = detail});
            return {};
        });
    }
    std::filesystem::path data() const { return directory.path(); }
    std::vector<std::string> kinds() const {
        std::vector<std::string> all;
        EXPECT_TRUE(ca::AuditReader::open(data())->each_entry([&](std::string_view text) {
            all.push_back(ca::parse_audit_line(text).value().kind);
            return true;
        }));
        return all;
    }
    void expect_clean(std::uint64_t entries) const {
        const auto report = ca::verify_audit(data()).value();
        EXPECT_EQ(report.problem, "");
        EXPECT_EQ(report.entries, entries);
    }

    support::TemporaryDirectory directory;
    pki::PrivateKey key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    store::FileCalls calls;
};

TEST_F(Books, RotateTheirFilesAndStayOneChain) {
    {
        const auto writer = open({.largest_file = 3000, .entries_a_head = 4});
        for (int i = 0; i < 40; ++i) ASSERT_TRUE(add(*writer, "refuse", std::to_string(i)));
    }
    EXPECT_TRUE(std::filesystem::exists(ca::audit_directory(data()) / "log-000005.jsonl"));
    const auto before = kinds();
    EXPECT_THAT(before, testing::Contains("rotate").Times(testing::Ge(4)));
    expect_clean(before.size());
    {
        const auto writer = open({.largest_file = 3000, .entries_a_head = 4});
        ASSERT_TRUE(add(*writer, "refuse"));
    }
    expect_clean(before.size() + 1);
    // A whole file taken away.
    std::filesystem::remove(ca::audit_directory(data()) / "log-000002.jsonl");
    EXPECT_FALSE(ca::verify_audit(data())->clean());
}

TEST_F(Books, WriteWhatACrashKeptFromTheLog) {
    // The commit is on the disk and the process ends before the log is: at each octet of what it writes.
    {
        const auto writer = open();
    }
    for (std::size_t octets = 0; octets < 900; octets += 50) {
        bool crashed = false;
        std::size_t left = octets;
        calls.write_at = [&](int descriptor, const void* bytes, std::size_t size, off_t at) -> ssize_t {
            const auto now = std::min(size, left);
            left -= now;
            if (now == 0) {
                crashed = true;
                errno = EIO;
                return -1;
            }
            return ::pwrite(descriptor, bytes, now, at);
        };
        {
            const auto writer = try_open().value();
            (void)add(*writer, "issue-like", std::string(300, 'x'));
        }
        EXPECT_TRUE(crashed);
        calls = {};
        {
            const auto writer = open();
        }
        const auto report = ca::verify_audit(data()).value();
        EXPECT_EQ(report.problem, "") << octets;
    }
    EXPECT_THAT(kinds(), testing::Contains("issue-like").Times(18));
}

TEST_F(Books, TellNobodyBeforeTheLogIsSynced) {
    int syncs = 0;
    calls.sync = [&](int descriptor) {
        ++syncs;
        return ::fdatasync(descriptor);
    };
    const auto writer = open();
    const int before = syncs;
    ASSERT_TRUE(add(*writer, "issue-like"));
    EXPECT_EQ(syncs, before + 1);
}

TEST_F(Books, StopForGoodWhenASyncFails) {
    bool broken = false;
    calls.sync = [&](int descriptor) {
        if (!broken) return ::fdatasync(descriptor);
        errno = EIO;
        return -1;
    };
    {
        const auto writer = open();
        ASSERT_TRUE(writer->usable());
        broken = true;
        EXPECT_EQ(add(*writer, "first").error().code, base::Code::unavailable);
        broken = false;
        EXPECT_EQ(add(*writer, "second").error().code, base::Code::unavailable);
        EXPECT_FALSE(writer->usable());
    }
    {
        const auto writer = open();
    }
    EXPECT_THAT(kinds(), testing::ElementsAre("genesis", "first"));
    expect_clean(2);
}

TEST_F(Books, GoOnWhenAFullDiskHasRoomAgain) {
    bool full = false;
    calls.write_at = [&](int descriptor, const void* bytes, std::size_t size, off_t at) -> ssize_t {
        if (!full) return ::pwrite(descriptor, bytes, size, at);
        errno = ENOSPC;
        return -1;
    };
    {
        const auto writer = open();
        full = true;
        EXPECT_EQ(add(*writer, "first").error().code, base::Code::unavailable);
        EXPECT_EQ(add(*writer, "never").error().code, base::Code::unavailable);
        full = false;
        EXPECT_TRUE(add(*writer, "second"));
    }
    EXPECT_THAT(kinds(), testing::ElementsAre("genesis", "first", "second"));
    expect_clean(3);
}

TEST_F(Books, ARefusalWritesNothingAndSpoilsNoNeighbour) {
    const auto writer = open();
    std::vector<base::Status> results(3);
    for (int i = 0; i < 3; ++i)
        writer->submit(
            {[i](Turn& turn) -> base::Status {
                 if (i == 1) turn.refused = base::fail(base::Code::not_found, "thing", "is not there");
                 turn.lines.push_back({.kind = fmt::format("job{}", i)});
                 return {};
             },
             [&results, i](base::Status result) { results[static_cast<std::size_t>(i)] = result; }});
    ASSERT_TRUE(writer->head());
    EXPECT_TRUE(results[0]);
    EXPECT_EQ(results[1].error().code, base::Code::not_found);
    EXPECT_TRUE(results[2]);
    EXPECT_THAT(kinds(), testing::ElementsAre("genesis", "job0", "job2"));
}

TEST_F(Books, SignAHeadAfterSoManyEntriesAndSoMuchTime) {
    const auto heads = [&] { return ca::verify_audit(data())->heads; };
    {
        const auto writer = open({.entries_a_head = 10});
        for (int i = 1; i < 25; ++i) ASSERT_TRUE(add(*writer, "refuse"));
        EXPECT_EQ(heads(), 2U);
    }
    EXPECT_EQ(heads(), 3U);
    std::promise<void> signed_one;
    bool told = false;
    calls.write_at = [&](int descriptor, const void* bytes, std::size_t size, off_t at) -> ssize_t {
        const std::string_view text(static_cast<const char*>(bytes), size);
        if (text.find("\"sig\":") != text.npos && !std::exchange(told, true)) signed_one.set_value();
        return ::pwrite(descriptor, bytes, size, at);
    };
    const auto writer = open({.time_a_head = std::chrono::seconds{1}});
    ASSERT_TRUE(add(*writer, "refuse"));
    EXPECT_EQ(signed_one.get_future().wait_for(std::chrono::seconds{30}), std::future_status::ready);
}

}  // namespace
