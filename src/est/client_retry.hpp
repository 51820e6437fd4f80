// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace est {

/// An enrolment that gave no certificate, by what the client does about it.
struct Failure {
    enum class Kind {
        pending,      ///< 202: somebody decides about it; the same request is sent again
        busy,         ///< 429, 503: the server asks for patience
        unreachable,  ///< no connection, no answer in time, a server that is not trusted, another 5xx
        refused,      ///< any other status: nothing changes before somebody changes something
        rejected,     ///< an answer that must not be used
    };
    Kind kind;
    base::Error why;
    std::chrono::seconds wait{};  ///< pending and busy: what the server asked for
    bool answered = false;        ///< it came to an answer: the server as such is there
};
/// "pending", "busy", ...: as logs and files show it.
std::string_view to_string(Failure::Kind kind);
std::optional<Failure::Kind> parse_failure(std::string_view text);

/// The Retry-After field (RFC 9110 10.2.3) as seconds from `now`: a number or a date, within a second and a
/// day; a minute where it is absent or cannot be read. Pure.
std::chrono::seconds retry_after(std::optional<std::string_view> field, base::Instant now);

/// How long the same thing is not asked again after failure number `failures` (from 1) in a row: what the
/// server asked for and up to a tenth more; for one that cannot be reached anything up to 5 s, doubling to a
/// quarter of an hour, so that a fleet does not return at once; for a refusal a minute, doubling to an hour,
/// the last fifth left to chance. At least a second. random: in [0, 1). Pure.
std::chrono::seconds pause_after(const Failure& failure, int failures, double random);

}  // namespace est
