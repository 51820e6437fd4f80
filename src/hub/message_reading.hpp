// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "hub/call.hpp"

namespace hub {

/// Where a reader of the message log starts.
struct Start {
    std::uint64_t offset = 0;
    /// What it asked for, where that is no longer kept or never was: it goes on at the first that is.
    std::optional<std::uint64_t> gone;
};

/// The start that a GET of messages/events asks for: Last-Event-ID (for event streams), else `from`, else the
/// stored offset of `consumer`, else now. Refuses what is none.
std::expected<Start, Refusal> start_of(const Call& call, bool event_stream);

/// Events of one answer, and where the next one goes on.
struct Batch {
    std::string lines;  ///< as JSON lines, or as server-sent events
    std::uint64_t next;
    std::optional<std::uint64_t> gone;  ///< as in Start
};
enum class Form { lines, events };
/// Reads from `start` on, at most `octets` or one event; at most 500 events.
base::Result<Batch> read_batch(const Telemetry& telemetry, const Start& start, std::size_t octets, Form form);

/// The log from `start` on as server-sent events, until the reader goes or the hub ends.
/// services: outlives the source; `here` is the state of the calling loop.
std::shared_ptr<http::BodySource> make_event_stream(const Services& services, LoopState& here, Start start);

}  // namespace hub
