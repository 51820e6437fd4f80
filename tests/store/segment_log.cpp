// SPDX-License-Identifier: Apache-2.0
#include "store/segment_log.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <future>
#include <utility>

#include "base/file.hpp"
#include "support/log_writer.hpp"
#include "support/temporary_directory.hpp"

namespace {

using store::SegmentLog;
using support::append_and_wait;
using support::open_log;
using support::small_segments;
using support::text_of;

std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    for (const auto& one : std::filesystem::directory_iterator(directory)) files.push_back(one.path());
    std::sort(files.begin(), files.end());
    return files;
}

std::string all_of(const SegmentLog& log, std::uint64_t from = 0) {
    std::string out;
    const auto entries = log.read(from, 1000, 1 << 20);
    EXPECT_TRUE(entries) << entries.error().text();
    if (entries)
        for (const auto& one : *entries) out += text_of(one.record) + " ";
    return out;
}

void change_byte(const std::filesystem::path& file, std::size_t at) {
    auto bytes = base::read_file(file, "log").value();
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x40);
    ASSERT_TRUE(base::write_atomically(file, std::string_view(bytes), 0600));
}

TEST(SegmentLog, GivesBackWhatWasAppendedInOrder) {
    const support::TemporaryDirectory directory;
    const auto log = open_log(directory.path());
    EXPECT_EQ(log->first(), 0U);
    EXPECT_EQ(log->next(), 0U);
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(append_and_wait(*log, "r" + std::to_string(i)), i);
    EXPECT_EQ(all_of(*log), "r0 r1 r2 r3 r4 ");
    EXPECT_EQ(all_of(*log, 3), "r3 r4 ");
    EXPECT_EQ(all_of(*log, 5), "");
    EXPECT_EQ(all_of(*log, 500), "");
}

TEST(SegmentLog, RefusesWhatADiskThatHangsCannotTakeInsteadOfKeepingItAll) {
    const support::TemporaryDirectory directory;
    std::promise<void> entered, released;
    auto go_on = released.get_future().share();
    bool first = true;
    SegmentLog::Options options;
    options.largest_queue = 100;
    options.calls.sync = [&](int descriptor) {
        if (std::exchange(first, false)) {
            entered.set_value();
            go_on.wait();
        }
        return ::fdatasync(descriptor);
    };
    auto log = SegmentLog::open(directory.path(), options);
    ASSERT_TRUE(log) << log.error().text();
    (*log)->append(base::Bytes(10), {});
    entered.get_future().wait();  // the log's thread hangs in the disk
    std::promise<base::Result<std::uint64_t>> kept, refused;
    (*log)->append(base::Bytes(60), [&](auto done) { kept.set_value(std::move(done)); });
    (*log)->append(base::Bytes(60), [&](auto done) { refused.set_value(std::move(done)); });
    const auto no = refused.get_future().get();
    ASSERT_FALSE(no);
    EXPECT_EQ(no.error().code, base::Code::rate_limited);
    released.set_value();
    const auto yes = kept.get_future().get();
    ASSERT_TRUE(yes) << yes.error().text();
    EXPECT_EQ(append_and_wait(**log, "after"), 2U);
}

TEST(SegmentLog, KeepsRecordsOverReopeningInSeveralFiles) {
    const support::TemporaryDirectory directory;
    std::string expected;
    for (int life = 0; life < 4; ++life) {
        const auto log = open_log(directory.path(), small_segments());
        EXPECT_EQ(all_of(*log), expected);
        for (int i = 0; i < 10; ++i) {
            const auto text = std::to_string(life) + std::string(static_cast<std::size_t>(i), 'x');
            ASSERT_TRUE(append_and_wait(*log, text));
            expected += text + " ";
        }
        EXPECT_EQ(all_of(*log), expected);
    }
    EXPECT_GT(files_of(directory.path()).size(), 3U);
}

TEST(SegmentLog, KeepsEmptyRecordsAndAnyBytes) {
    const support::TemporaryDirectory directory;
    base::Bytes every(256);
    for (std::size_t i = 0; i < 256; ++i) every[i] = static_cast<std::byte>(i);
    {
        const auto log = open_log(directory.path());
        ASSERT_TRUE(append_and_wait(*log, ""));
        ASSERT_TRUE(append_and_wait(*log, std::string(base::as_text(every))));
    }
    const auto entries = open_log(directory.path())->read(0, 10, 1 << 20).value();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_TRUE(entries[0].record.empty());
    EXPECT_EQ(entries[1].record, every);
}

TEST(SegmentLog, ReadsAtMostWhatWasAskedForButAtLeastOne) {
    const support::TemporaryDirectory directory;
    const auto log = open_log(directory.path(), small_segments());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append_and_wait(*log, std::string(50, 'a')));
    EXPECT_EQ(log->read(0, 7, 1 << 20)->size(), 7U);
    EXPECT_EQ(log->read(0, 100, 120)->size(), 2U);
    EXPECT_EQ(log->read(3, 100, 1)->size(), 1U);
    EXPECT_EQ(log->read(3, 100, 1)->front().offset, 3U);
    EXPECT_EQ(log->read(0, 0, 1 << 20)->size(), 0U);
}

TEST(SegmentLog, RefusesARecordOverTheLimitAndNothingElse) {
    const support::TemporaryDirectory directory;
    SegmentLog::Options options;
    options.largest_record = 10;
    const auto log = open_log(directory.path(), options);
    EXPECT_EQ(append_and_wait(*log, std::string(11, 'a')).error().code, base::Code::too_large);
    EXPECT_EQ(append_and_wait(*log, std::string(10, 'a')), 0U);
}

TEST(SegmentLog, TellsItsObserverWhatIsDurable) {
    const support::TemporaryDirectory directory;
    const auto log = open_log(directory.path());
    std::promise<void> reached;
    log->on_durable([&](std::uint64_t next) {
        if (next == 3) reached.set_value();
    });
    for (int i = 0; i < 3; ++i) log->append(base::Bytes(5), {});
    EXPECT_EQ(reached.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST(SegmentLog, FinishesWhatWasAppendedWhenItIsClosed) {
    const support::TemporaryDirectory directory;
    int done = 0;
    {
        const auto log = open_log(directory.path());
        for (int i = 0; i < 500; ++i)
            log->append(base::Bytes(100),
                        [&](base::Result<std::uint64_t> result) { done += result.has_value() ? 1 : 0; });
    }
    EXPECT_EQ(done, 500);
    EXPECT_EQ(open_log(directory.path())->next(), 500U);
}

TEST(SegmentLog, RemovesWholeFilesBelowAnOffset) {
    const support::TemporaryDirectory directory;
    const auto log = open_log(directory.path(), small_segments());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append_and_wait(*log, std::string(50, 'a')));
    const auto files = files_of(directory.path()).size();
    ASSERT_TRUE(log->remove_before(9));
    EXPECT_LT(files_of(directory.path()).size(), files);
    EXPECT_GT(log->first(), 0U);
    EXPECT_LE(log->first(), 9U);
    EXPECT_EQ(log->read(0, 100, 1 << 20)->front().offset, log->first());
    ASSERT_TRUE(log->remove_before(1000));
    EXPECT_EQ(files_of(directory.path()).size(), 1U);
    EXPECT_EQ(log->next(), 20U);
}

base::Status end_segment(SegmentLog& log) {
    std::promise<base::Status> done;
    log.end_segment([&](base::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
}

TEST(SegmentLog, EndsASegmentOnRequestSoThatAllRecordsCanBeRemoved) {
    const support::TemporaryDirectory directory;
    {
        const auto log = open_log(directory.path());
        ASSERT_TRUE(end_segment(*log)) << "an empty log has nothing to end";
        EXPECT_TRUE(log->segments().empty());
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(append_and_wait(*log, "old"));
        ASSERT_TRUE(end_segment(*log));
        ASSERT_TRUE(end_segment(*log)) << "an empty segment is not ended again";
        const auto segments = log->segments();
        ASSERT_EQ(segments.size(), 2U);
        EXPECT_EQ(segments[0].first, 0U);
        EXPECT_EQ(segments[1].first, 3U);
        EXPECT_GT(segments[0].bytes, segments[1].bytes);
        EXPECT_EQ(all_of(*log), "old old old ");
        ASSERT_TRUE(log->remove_before(3));
        EXPECT_EQ(all_of(*log), "");
        EXPECT_EQ(log->first(), 3U);
    }
    const auto log = open_log(directory.path());
    EXPECT_EQ(append_and_wait(*log, "new"), 3U);
    EXPECT_EQ(all_of(*log), "new ");
}

TEST(SegmentLog, NeverUsesAnOffsetTwiceWhenAllWasRemoved) {
    const support::TemporaryDirectory directory;
    {
        const auto log = open_log(directory.path(), small_segments());
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(append_and_wait(*log, std::string(50, 'a')));
        ASSERT_TRUE(log->remove_before(20));
    }
    EXPECT_EQ(append_and_wait(*open_log(directory.path(), small_segments()), "a"), 20U);
}

TEST(SegmentLog, CutsATornRecordOffItsEnd) {
    const support::TemporaryDirectory directory;
    {
        const auto log = open_log(directory.path());
        ASSERT_TRUE(append_and_wait(*log, "kept"));
        ASSERT_TRUE(append_and_wait(*log, "torn"));
    }
    const auto file = files_of(directory.path()).at(0);
    const auto whole = std::filesystem::file_size(file);
    const auto kept = whole - 20;  // header and payload of the second record
    for (auto size = whole - 1; size > kept; --size) {
        std::filesystem::resize_file(file, size);
        const auto log = open_log(directory.path());
        EXPECT_EQ(all_of(*log), "kept ") << size;
        EXPECT_EQ(std::filesystem::file_size(file), kept);
        ASSERT_EQ(append_and_wait(*log, "torn"), 1U);
    }
}

TEST(SegmentLog, CutsATailThatTheDiskLeftAsZeros) {
    const support::TemporaryDirectory directory;
    {
        ASSERT_TRUE(append_and_wait(*open_log(directory.path()), "kept"));
    }
    const auto file = files_of(directory.path()).at(0);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) + 5000);
    const auto log = open_log(directory.path());
    EXPECT_EQ(all_of(*log), "kept ");
    ASSERT_EQ(append_and_wait(*log, "next"), 1U);
    EXPECT_EQ(all_of(*log), "kept next ");
}

TEST(SegmentLog, NamesFileAndOffsetOfDamageInTheLastFile) {
    const support::TemporaryDirectory directory;
    {
        const auto log = open_log(directory.path());
        for (const auto* text : {"one", "two", "three"}) ASSERT_TRUE(append_and_wait(*log, text));
    }
    const auto file = files_of(directory.path()).at(0);
    // Each octet of the second record (header 16, payload 3) stands before a later group.
    for (std::size_t at = 24 + 19; at < 24 + 2 * 19; ++at) {
        change_byte(file, at);
        const auto opened = SegmentLog::open(directory.path());
        ASSERT_FALSE(opened) << at;
        EXPECT_EQ(opened.error().code, base::Code::malformed);
        EXPECT_EQ(opened.error().thing, "log " + file.string());
        EXPECT_EQ(opened.error().reason, "is damaged at byte 43");
        change_byte(file, at);
    }
    EXPECT_EQ(all_of(*open_log(directory.path())), "one two three ");
}

TEST(SegmentLog, NamesFileAndOffsetOfDamageInAnOlderFileWhenItIsRead) {
    const support::TemporaryDirectory directory;
    {
        const auto log = open_log(directory.path(), small_segments());
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(append_and_wait(*log, std::string(50, 'a')));
    }
    const auto file = files_of(directory.path()).at(1);
    change_byte(file, 24 + 20);
    const auto log = open_log(directory.path(), small_segments());
    EXPECT_EQ(append_and_wait(*log, "goes on"), 20U);
    const auto entries = log->read(0, 100, 1 << 20);
    ASSERT_FALSE(entries);
    EXPECT_EQ(entries.error().reason, "is damaged at byte 24");
    EXPECT_EQ(entries.error().thing, "log " + file.string());
}

TEST(SegmentLog, RefusesAFileThatIsNoneOfItsOwn) {
    for (const std::size_t at : {0U, 8U, 12U, 20U}) {
        const support::TemporaryDirectory directory;
        {
            ASSERT_TRUE(append_and_wait(*open_log(directory.path()), "a"));
        }
        change_byte(files_of(directory.path()).at(0), at);
        const auto opened = SegmentLog::open(directory.path());
        ASSERT_FALSE(opened) << at;
        EXPECT_EQ(opened.error().code, at == 8 ? base::Code::unsupported : base::Code::malformed);
    }
}

TEST(SegmentLog, ForgetsAFileThatWasLeftHalfMade) {
    const support::TemporaryDirectory directory;
    {
        ASSERT_TRUE(append_and_wait(*open_log(directory.path()), "a"));
    }
    ASSERT_TRUE(
        base::write_atomically(directory / "00000000000000000001.log.tmp", std::string_view("SPSE"), 0600));
    EXPECT_EQ(all_of(*open_log(directory.path())), "a ");
    EXPECT_EQ(files_of(directory.path()).size(), 1U);
}

}  // namespace
