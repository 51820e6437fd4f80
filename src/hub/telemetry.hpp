// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "azure/message.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "hub/config.hpp"
#include "store/segment_log.hpp"

namespace hub {

/// Who sent a message, as the hub has proven it.
struct Sender {
    trust::Identity identity;
    std::string generation;  ///< generationId of its record
    std::string method;      ///< {"scope":"device","type":"x509",...} of trust::Decision
};

/// The message with the annotations that a hub adds (hub.md 3.1). A client's own $.cdid and $.cmid do not
/// count: what is attributed is what was authenticated.
azure::Event make_event(const Sender& sender, azure::Message message,
                        std::chrono::sys_time<std::chrono::milliseconds> enqueued);

/// The first offset to keep so that the segments from it on have at most `bytes`; the last one always stays.
/// Pure.
std::uint64_t keep_by_size(std::span<const store::SegmentLog::SegmentSize> segments, std::uint64_t bytes);

/// What devices have sent, in order of arrival, on disk. From any thread.
class Telemetry {
  public:
    /// retention: only for how large segments are made; `expire` is what removes.
    static base::Result<std::unique_ptr<Telemetry>> open(const std::filesystem::path& directory,
                                                         const Retention& retention = {});
    /// `done` is called on another thread once the event is durable, with its offset. A disk
    /// that takes nothing more is logged once, until it takes something again.
    void append(const azure::Event& event, std::function<void(base::Result<std::uint64_t>)> done);
    /// Called on another thread after each group of durable events. Set it before the first append.
    void on_durable(std::function<void()> observer);
    /// Events from `from` on that are durable, at most `most`, together about `bytes`.
    struct Stored {
        std::uint64_t offset;
        azure::Event event;
    };
    base::Result<std::vector<Stored>> read(std::uint64_t from, std::size_t most, std::size_t bytes) const;
    /// Drops whole segments: those whose last event is older than the age, then the oldest until the rest
    /// fits the bytes. Ends the segment that is written to where it has become old, so that a quiet hub
    /// forgets as a busy one does. It waits for the disk: not on a loop. Events that a read has begun with
    /// stay readable to it. How many events were dropped.
    base::Result<std::uint64_t> expire(const Retention& retention, base::Instant now);
    std::uint64_t first() const { return log_->first(); }
    std::uint64_t next() const { return log_->next(); }

  private:
    base::Result<std::optional<base::Instant>> time_of(std::uint64_t offset) const;
    base::Status end_old_segment(const Retention& retention, base::Instant now);
    explicit Telemetry(std::unique_ptr<store::SegmentLog> log) : log_(std::move(log)) {}
    std::atomic<bool> failing_ = false;  ///< the disk took nothing last time, and that was logged
    std::unique_ptr<store::SegmentLog> log_;
};

}  // namespace hub
