// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hub {

/// A new id for one refusal, as users find it in errors and logs: 32 hex digits, then "-G:" and the number of
/// the part of the hub that refused (hub.md 4.1), here the loop.
std::string make_tracking_id();

/// The 32 hex digits of a tracking id, in lower case, out of what people paste: with or without "Tracking
/// ID:",
/// "-G:9" and "-TimeStamp:...". nullopt: there is none in it, or more than one.
std::optional<std::string> tracking_key(std::string_view pasted);

}  // namespace hub
