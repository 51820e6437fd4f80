// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace http {

/// Reads "Wed, 25 Nov 2026 10:00:00 GMT", the one form of a date that is written today (RFC 9110 section
/// 5.6.7); nullopt for anything else.
std::optional<base::Instant> parse_date(std::string_view text);

}  // namespace http
