// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace base {

/// A moment in UTC, to the second.
using Instant = std::chrono::sys_seconds;

/// Where the time comes from. Roles take a reference and hand down the Instant; pure code never sees a Clock.
/// Any thread may call it.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    /// The same moment in milliseconds since the epoch, for message timestamps.
    virtual std::chrono::sys_time<std::chrono::milliseconds> now_ms() const = 0;
};

/// The clock of this program; lives as long as the process.
const Clock& system_clock();

/// "2026-11-25T10:00:00Z".
std::string format_rfc3339(Instant when);
/// "2026-11-25T10:00:00.123Z".
std::string format_rfc3339_ms(std::chrono::sys_time<std::chrono::milliseconds> when);
/// Reads an RFC 3339 time with any offset; a fraction of a second is dropped.
Result<Instant> parse_rfc3339(std::string_view text);
/// "Wed, 25 Nov 2026 10:00:00 GMT" (RFC 1123, as HTTP and the Azure resource manager write it).
std::string format_rfc1123(Instant when);
/// "3 days", "2 hours", "5 minutes", "12 seconds": the largest whole unit, for people.
std::string format_duration(std::chrono::seconds duration);

}  // namespace base
