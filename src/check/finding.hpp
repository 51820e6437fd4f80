// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace check {

/// What a check came to. unknown: it could not be found out, as where a file may not be read. skipped: what
/// it builds on has failed. ignored: there is nothing here that it could look at.
enum class Outcome : std::uint8_t { ok, ignored, skipped, unknown, warning, error };
std::string_view to_string(Outcome outcome);

/// The answer of one check. reason: what was found, also where it is good. fix: what to do; never empty for a
/// warning, an error or an unknown.
struct Finding {
    Outcome outcome;
    std::string reason;
    std::string fix;
};

Finding ok(std::string reason);
Finding ignored(std::string reason);
Finding skipped(std::string reason);
Finding warning(std::string reason, std::string fix);
Finding error(std::string reason, std::string fix);
Finding unknown(std::string reason, std::string fix);

/// An error of a file or a call as a finding: what may not be read is unknown to us, everything else is an
/// error. fix: where the error has none of its own.
Finding failed(const base::Error& error, std::string fix);

/// The worst of several, with the reasons and fixes of every one that is not good. None at all, or all good:
/// `ok` with `good`.
Finding worst(const std::vector<Finding>& findings, std::string good);

}  // namespace check
