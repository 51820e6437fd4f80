// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "store/file_calls.hpp"
#include "store/segment_log.hpp"

namespace store {

/// One file of a log. Written by the log's thread alone; read from any thread.
class Segment {
  public:
    /// Makes an empty segment whose first record will be number `first`: durable, directory entry included.
    static base::Result<std::shared_ptr<Segment>> create(const std::filesystem::path& directory,
                                                         std::uint64_t first, const FileCalls& calls);
    /// Opens an existing file and checks its header; records are looked at when they are needed.
    static base::Result<std::shared_ptr<Segment>> open(const std::filesystem::path& file,
                                                       const FileCalls& calls);
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;
    ~Segment();

    static std::string file_name(std::uint64_t first);
    const std::filesystem::path& file() const { return file_; }
    std::uint64_t first() const { return first_; }
    /// Octets that are durable, the header included.
    std::uint64_t size() const { return size_; }

    /// For the last segment of a log: reads it through and cuts a torn record off its end. The offset behind
    /// its last record. Damage before the end is an error with file and offset.
    base::Result<std::uint64_t> recover();
    /// For the others: reads it through where that has not been done; it must end where the next segment
    /// begins.
    base::Status index(std::uint64_t next);
    /// Writes the records as one group and syncs them: all are durable, or none is.
    base::Status append(std::span<const base::Bytes* const> records, std::uint64_t next);
    /// Adds records from `from` on and below `limit` to `into`, as SegmentLog::read does. index or recover
    /// comes first.
    base::Status read(std::uint64_t from, std::uint64_t limit, std::size_t most, std::size_t bytes,
                      std::vector<SegmentLog::Entry>& into) const;

  private:
    struct Mark {
        std::uint64_t offset;
        std::uint64_t position;
    };
    Segment(std::filesystem::path file, int descriptor, std::uint64_t first, std::uint64_t size,
            const FileCalls& calls);
    std::string thing() const { return "log " + file_.string(); }
    std::unexpected<base::Error> damaged(std::uint64_t position) const;
    void mark(std::uint64_t offset, std::uint64_t position);
    Mark mark_before(std::uint64_t offset) const;
    base::Result<std::uint64_t> scan(std::uint64_t& position);
    base::Status cut(std::uint64_t position);

    std::filesystem::path file_;
    int descriptor_;
    std::uint64_t first_;
    std::atomic<std::uint64_t> size_;
    const FileCalls& calls_;
    bool torn_ = false;  ///< a write has failed and what it left has not been cut off yet
    base::Bytes buffer_;
    mutable std::mutex mutex_;  ///< of what follows
    bool indexed_ = false;
    std::vector<Mark> marks_;  ///< a record now and then, so that reading need not start at the front
};

}  // namespace store
