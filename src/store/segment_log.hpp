// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "store/file_calls.hpp"

namespace store {

/// An append-only log of records in segment files with a checksum each; one fdatasync a group
/// (docs/reference/log-format.md). What `append` has acknowledged survives kill -9 and a power cut. A torn
/// record at the end (never acknowledged) is cut off when it is opened; damage before the end is an error
/// that names file and offset (of the last file when it is opened, of the others when they are read). One
/// process at a time. From any thread.
class SegmentLog {
  public:
    struct Options {
        std::size_t segment_bytes = 64 * 1024 * 1024;
        std::size_t largest_record = 1024 * 1024;  ///< `append` answers too_large above it
        /// Octets that wait to be written above which `append` answers rate_limited.
        std::size_t largest_queue = 128 * 1024 * 1024;
        FileCalls calls;
    };
    struct Entry {
        std::uint64_t offset;  ///< position in the sequence of records, from 0, without gaps
        base::Bytes record;
    };
    static base::Result<std::unique_ptr<SegmentLog>> open(const std::filesystem::path& directory,
                                                          Options options);
    static base::Result<std::unique_ptr<SegmentLog>> open(const std::filesystem::path& directory) {
        return open(directory, Options{});
    }
    ~SegmentLog();  ///< finishes what was appended

    /// `done` is called on the log's thread once the record is on disk, with its offset; where the disk is
    /// too slow for what waits already, on the caller's at once, with rate_limited. Records are in the order
    /// of the calls. disk_full and io fail the record and nothing else.
    void append(base::Bytes record, std::function<void(base::Result<std::uint64_t>)> done);
    /// Up to `most` durable records from `from` on, together at most `bytes` (but at least one). Fewer, or
    /// none, where the log ends; from below first() starts at first().
    base::Result<std::vector<Entry>> read(std::uint64_t from, std::size_t most, std::size_t bytes) const;
    std::uint64_t first() const;  ///< the oldest record that is kept
    std::uint64_t next() const;   ///< the offset behind the last durable record
    /// Removes whole segments whose records are all below `offset`; the last one stays. A read that is under
    /// way ends as it began.
    base::Status remove_before(std::uint64_t offset);
    struct SegmentSize {
        std::uint64_t first;  ///< offset of its first record
        std::uint64_t bytes;  ///< of its file
    };
    /// In order; the last one is written to.
    std::vector<SegmentSize> segments() const;
    /// Ends the last segment where it holds a record, so that retention can remove it: the next record goes
    /// into a new one. `done` is called on the log's thread.
    void end_segment(std::function<void(base::Status)> done);
    /// Called on the log's thread after each group, with next(). At most one; set it before the first append.
    void on_durable(std::function<void(std::uint64_t)> observer);

  private:
    struct Impl;
    explicit SegmentLog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace store
