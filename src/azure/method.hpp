// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "azure/errors.hpp"
#include "base/error.hpp"

/// Direct methods (hub.md 3.4, 5.8). Pure.
namespace azure {

inline constexpr std::size_t largest_method_payload = 128 * 1024;

/// What a service asks of a device.
struct MethodRequest {
    std::string name;
    std::string payload;  ///< JSON as the caller wrote it; empty: the caller gave none
    std::chrono::seconds response_timeout{30};
    std::chrono::seconds connect_timeout{0};  ///< how long to wait for the device to be there
};

/// Reads {"methodName","payload","responseTimeoutInSeconds","connectTimeoutInSeconds"}. Fails with
/// `malformed` where it is no JSON object, at most 32 levels deep; `invalid_argument` for a name that
/// hub.md 3.4 does not allow, or a timeout outside of 5 to 300 and 0 to 300 seconds; `too_large` for a
/// payload over 128 KiB.
base::Result<MethodRequest> parse_method_request(std::string_view body);

/// "$iothub/methods/POST/{name}/?$rid={request}".
std::string method_topic(std::string_view name, std::string_view request);

/// {"status":200,"payload":...} of what the device answered; null for an empty payload. Fails with
/// `malformed` where the payload is no JSON, `too_large` where it is over 128 KiB.
base::Result<std::string> method_result(std::int64_t status, std::span<const std::byte> payload);

/// Why a method gave no result.
struct MethodFailure {
    ErrorCode code;
    std::string message;
    std::chrono::seconds waited{0};  ///< shown as "timeout"
};
/// {"Message":"{\"errorCode\":404103,\"trackingId\":...}","ExceptionMessage":""}: JSON within JSON.
std::string method_failure_body(const MethodFailure& failure, std::string_view tracking_id,
                                std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace azure
