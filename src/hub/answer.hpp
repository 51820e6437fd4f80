// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "azure/errors.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/message.hpp"

namespace hub {

/// A request that is not done: what the caller is told. What only operators may know goes to the log.
struct Refusal {
    azure::ErrorCode code;
    std::string text;
};

/// What a refusal is known by, to the caller and in the log.
std::string new_tracking_id();
/// The answer with body, iothub-errorcode and x-ms-request-id of hub.md 4.1.
http::Response refuse(const Refusal& refusal, base::Instant now);
/// The one place where an error of ours becomes an HTTP answer. Failures of this machine are told without
/// detail.
http::Response refuse(const base::Error& error, base::Instant now);
Refusal to_refusal(const base::Error& error);
/// For what http::serve itself answers.
http::Response refuse_status(int status, std::string_view reason, base::Instant now);

/// JSON with `ETag: "etag"`.
http::Response json_with_etag(int status, std::string body, std::string_view etag);

}  // namespace hub
