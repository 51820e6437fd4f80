// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace azure {

/// The error codes of hub.md 11 that this hub answers with.
enum class ErrorCode : int {
    generic_bad_request = 400000,
    invalid_protocol_version = 400001,
    argument_invalid = 400004,
    argument_null = 400005,
    iot_hub_format_error = 400006,
    device_defined_multiple_times = 400011,
    bulk_operation_failure = 400013,
    etag_does_not_match = 400023,
    invalid_device_scope = 400028,
    invalid_target_condition = 400401,
    invalid_configuration_content = 400402,
    immutable_configuration_content = 400403,
    invalid_metrics_query = 400404,
    generic_unauthorized = 401000,
    iot_hub_unauthorized_access = 401002,
    iot_hub_unauthorized = 401003,
    system_module_modify = 401100,
    generic_forbidden = 403000,
    quota_exceeded = 403002,
    device_queue_full = 403004,
    invalid_message_expiry_time = 403009,
    device_disabled = 403012,
    generic_not_found = 404000,
    device_not_found = 404001,
    certificate_not_found = 404008,
    module_not_found = 404010,
    configuration_not_found = 404301,
    device_not_online = 404103,
    generic_method_not_allowed = 405000,
    generic_timeout = 408000,
    device_already_exists = 409001,
    module_already_exists = 409301,
    configuration_already_exists = 409401,
    configuration_being_applied = 409402,
    precondition_failed = 412001,
    device_message_lock_lost = 412002,
    message_too_large = 413001,
    too_many_devices = 413002,
    too_many_modules = 413003,
    generic_unsupported_media_type = 415000,
    throttling = 429001,
    server_error = 500001,
    generic_bad_gateway = 502000,
    service_unavailable = 503001,
    gateway_timeout = 504101
};

int http_status(ErrorCode code);
/// "DeviceNotFound".
std::string_view name(ErrorCode code);
/// The nearest code for an error of ours, where a route has nothing better.
ErrorCode from(base::Code code);

/// {"Message":"ErrorCode:DeviceNotFound;...","ExceptionMessage":"Tracking ID:...-TimeStamp:..."}
/// (hub.md 4.1). text must hold no ';' before its useful part; one is replaced by a comma.
std::string error_body(ErrorCode code, std::string_view text, std::string_view tracking_id,
                       base::Instant now);

/// {"errorCode":400004,"trackingId":"...","message":"...","info":{},"timestampUtc":"..."}: how MQTT and
/// direct methods tell it (hub.md 3.3, 5.8).
std::string numbered_error(ErrorCode code, std::string_view text, std::string_view tracking_id,
                           std::chrono::sys_time<std::chrono::milliseconds> now);
/// The same with more about it.
std::string numbered_error(ErrorCode code, std::string_view text, std::string_view tracking_id,
                           std::chrono::sys_time<std::chrono::milliseconds> now,
                           const boost::json::object& info);
/// The text of such a body behind "ErrorCode:...;"; the whole `Message` where it has another form; empty
/// where it is no such body.
std::string error_text(std::string_view body);

}  // namespace azure
