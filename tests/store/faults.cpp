// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>

#include "store/segment_log.hpp"
#include "store/writer.hpp"
#include "support/log_writer.hpp"
#include "support/temporary_directory.hpp"

namespace {

using store::SegmentLog;
using support::append_and_wait;
using support::open_log;
using support::small_segments;
using support::text_of;

/// A disk whose nth call fails, and perhaps every later one; it knows what was synced.
class Disk {
  public:
    enum class After { works_again, stays_dead };
    Disk(int nth, After after) : nth_(nth), after_(after) {}

    store::FileCalls calls() {
        store::FileCalls out;
        out.write_at = [this](int fd, const void* bytes, std::size_t size, off_t at) -> ssize_t {
            if (!fails()) return ::pwrite(fd, bytes, size, at);
            // Half of it arrives, as when the disk fills up or the power goes.
            if (::pwrite(fd, bytes, size / 2, at) < 0) return -1;
            errno = ENOSPC;
            return -1;
        };
        out.sync = [this](int fd) {
            if (fails()) return error(EIO);
            struct stat about{};
            EXPECT_EQ(::fstat(fd, &about), 0);
            synced_[about.st_ino] = about.st_size;
            return 0;
        };
        out.truncate = [this](int fd, off_t size) { return fails() ? error(EIO) : ::ftruncate(fd, size); };
        out.rename = [this](const char* from, const char* to) {
            return fails() ? error(EIO) : ::rename(from, to);
        };
        out.sync_directory = [this](const std::filesystem::path&) -> base::Status {
            if (fails()) return base::fail(base::Code::io, "directory", "could not be synced");
            return {};
        };
        return out;
    }
    bool has_failed() const { return calls_ >= nth_; }

    /// What was not synced is lost, all but the first half of it.
    void lose_power(const std::filesystem::path& directory) const {
        for (const auto& one : std::filesystem::directory_iterator(directory)) {
            struct stat about{};
            ASSERT_EQ(::stat(one.path().c_str(), &about), 0);
            const auto known = synced_.find(about.st_ino);
            const off_t kept = known == synced_.end() ? 0 : std::min(known->second, about.st_size);
            std::filesystem::resize_file(one.path(),
                                         static_cast<std::uintmax_t>(kept + (about.st_size - kept) / 2));
        }
    }

  private:
    bool fails() {
        ++calls_;
        return calls_ == nth_ || (calls_ > nth_ && after_ == After::stays_dead);
    }
    static int error(int number) {
        errno = number;
        return -1;
    }
    int nth_;
    After after_;
    int calls_ = 0;
    std::map<ino_t, off_t> synced_;
};

using Acknowledged = std::map<std::uint64_t, std::string>;

/// Appends until all is done; what was acknowledged, by offset.
Acknowledged append_some(SegmentLog& log, int from, int count) {
    Acknowledged out;
    for (int i = from; i < from + count; ++i) {
        const auto text = "record " + std::to_string(i) + std::string(40, '.');
        const auto offset = append_and_wait(log, text);
        if (!offset) continue;
        EXPECT_TRUE(out.emplace(*offset, text).second) << "an offset was given twice";
    }
    return out;
}

void expect_all_there(const SegmentLog& log, const Acknowledged& acknowledged, const std::string& what) {
    const auto entries = log.read(0, 1000, 1 << 20);
    ASSERT_TRUE(entries) << what << ": " << entries.error().text();
    Acknowledged found;
    for (const auto& one : *entries) found.emplace(one.offset, text_of(one.record));
    for (const auto& [offset, text] : acknowledged) EXPECT_EQ(found[offset], text) << what;
}

TEST(SegmentLogFaults, AFailureOfAnyCallCostsNothingThatWasAcknowledged) {
    for (int nth = 1;; ++nth) {
        const support::TemporaryDirectory directory;
        Disk disk(nth, Disk::After::works_again);
        Acknowledged acknowledged;
        {
            const auto log = open_log(directory.path(), small_segments(disk.calls()));
            acknowledged = append_some(*log, 0, 12);
            expect_all_there(*log, acknowledged, "before, call " + std::to_string(nth));
            EXPECT_GE(acknowledged.size(), 11U) << "one call fails one record, no more: " << nth;
            EXPECT_EQ(log->next(), acknowledged.size());
        }
        const auto log = open_log(directory.path(), small_segments());
        expect_all_there(*log, acknowledged, "after, call " + std::to_string(nth));
        EXPECT_EQ(log->next(), acknowledged.size());
        if (!disk.has_failed()) break;
    }
}

TEST(SegmentLogFaults, APowerCutAtAnyCallCostsNothingThatWasAcknowledged) {
    for (int nth = 1;; ++nth) {
        const support::TemporaryDirectory directory;
        Disk disk(nth, Disk::After::stays_dead);
        Acknowledged acknowledged;
        {
            acknowledged = append_some(*open_log(directory.path(), small_segments(disk.calls())), 0, 12);
        }
        disk.lose_power(directory.path());
        const auto log = open_log(directory.path(), small_segments());
        expect_all_there(*log, acknowledged, "call " + std::to_string(nth));
        const auto more = append_some(*log, 100, 5);
        EXPECT_EQ(more.size(), 5U);
        acknowledged.insert(more.begin(), more.end());
        expect_all_there(*log, acknowledged, "written on, call " + std::to_string(nth));
        if (!disk.has_failed()) break;
    }
}

TEST(SegmentLogFaults, AFullDiskIsToldAsSuch) {
    const support::TemporaryDirectory directory;
    Disk disk(4, Disk::After::works_again);  // header, sync, rename; then the first sync of the directory...
    store::FileCalls calls = disk.calls();
    calls.sync_directory = base::sync_directory;
    const auto log = open_log(directory.path(), small_segments(calls));
    const auto full = append_and_wait(*log, "a");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, base::Code::disk_full);
    EXPECT_EQ(append_and_wait(*log, "b"), 0U);
}

/// Runs `work` in a process of its own and kills it with SIGKILL when it has written `lines` bytes to its
/// pipe. What it had written by then.
std::string kill_after(std::size_t octets, const std::function<void(int pipe)>& work) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        work(ends[1]);
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char some[64];
    bool killed = false;
    for (ssize_t got = 0; (got = ::read(ends[0], some, sizeof some)) > 0;) {
        said.append(some, static_cast<std::size_t>(got));
        if (said.size() >= octets && !killed) {
            ::kill(child, SIGKILL);
            killed = true;
        }
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it should have been killed in the middle";
    return said;
}

TEST(Kill9, TheSegmentLogHasWhatItAcknowledged) {
    const support::TemporaryDirectory directory;
    const auto said = kill_after(200, [&](int pipe) {
        const auto log = open_log(directory.path(), small_segments());
        for (int i = 0; i < 100'000; ++i)
            log->append(base::Bytes(50, std::byte{7}), [pipe](base::Result<std::uint64_t> offset) {
                if (offset && ::write(pipe, ".", 1) < 0) ::_exit(1);
            });
    });
    const auto log = open_log(directory.path(), small_segments());
    EXPECT_GE(log->next(), said.size());
    const auto entries = log->read(0, said.size(), 1 << 30);
    ASSERT_TRUE(entries) << entries.error().text();
    EXPECT_EQ(entries->size(), said.size());
    EXPECT_TRUE(append_and_wait(*log, "goes on"));
}

TEST(Kill9, TheDatabaseHasWhatItAcknowledged) {
    const support::TemporaryDirectory directory;
    const store::Migration schema[] = {{1, "things", "CREATE TABLE things(id INTEGER PRIMARY KEY) STRICT"}};
    const auto open = [&] {
        return store::Database::open(directory / "hub.db", store::Database::Access::read_write, schema)
            .value();
    };
    const auto said = kill_after(100, [&](int pipe) {
        store::Writer writer(open());
        for (int i = 0; i < 100'000; ++i)
            writer.submit(
                [i](store::Database& database) -> base::Status {
                    if (auto ran =
                            database.statement("INSERT INTO things VALUES(?)").bind(1, std::int64_t{i}).run();
                        !ran)
                        return std::unexpected(ran.error());
                    return {};
                },
                [pipe](base::Status status) {
                    if (status && ::write(pipe, ".", 1) < 0) ::_exit(1);
                });
    });
    const auto database = open();
    auto count = database->statement("SELECT count(*), max(id) FROM things");
    ASSERT_TRUE(count.step().value());
    EXPECT_GE(count.integer(0), static_cast<std::int64_t>(said.size()));
    EXPECT_EQ(count.integer(1) + 1, count.integer(0));
}

}  // namespace
