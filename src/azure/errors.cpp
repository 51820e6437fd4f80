// SPDX-License-Identifier: Apache-2.0
#include "azure/errors.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

namespace azure {

int http_status(ErrorCode code) {
    return static_cast<int>(code) / 1000;
}

std::string_view name(ErrorCode code) {
    switch (code) {
        case ErrorCode::generic_bad_request:
            return "GenericBadRequest";
        case ErrorCode::invalid_protocol_version:
            return "InvalidProtocolVersion";
        case ErrorCode::argument_invalid:
            return "ArgumentInvalid";
        case ErrorCode::argument_null:
            return "ArgumentNull";
        case ErrorCode::iot_hub_format_error:
            return "IotHubFormatError";
        case ErrorCode::device_defined_multiple_times:
            return "DeviceDefinedMultipleTimes";
        case ErrorCode::bulk_operation_failure:
            return "BulkRegistryOperationFailure";
        case ErrorCode::etag_does_not_match:
            return "EtagDoesNotMatch";
        case ErrorCode::invalid_device_scope:
            return "InvalidDeviceScope";
        case ErrorCode::invalid_target_condition:
            return "InvalidConfigurationTargetCondition";
        case ErrorCode::invalid_configuration_content:
            return "InvalidConfigurationContent";
        case ErrorCode::immutable_configuration_content:
            return "CannotModifyImmutableConfigurationContent";
        case ErrorCode::invalid_metrics_query:
            return "InvalidConfigurationCustomMetricsQuery";
        case ErrorCode::generic_unauthorized:
            return "GenericUnauthorized";
        case ErrorCode::iot_hub_unauthorized_access:
            return "IotHubUnauthorizedAccess";
        case ErrorCode::iot_hub_unauthorized:
            return "IotHubUnauthorized";
        case ErrorCode::system_module_modify:
            return "SystemModuleModifyUnauthorizedAccess";
        case ErrorCode::generic_forbidden:
            return "GenericForbidden";
        case ErrorCode::quota_exceeded:
            return "IotHubQuotaExceeded";
        case ErrorCode::device_queue_full:
            return "DeviceMaximumQueueDepthExceeded";
        case ErrorCode::invalid_message_expiry_time:
            return "InvalidMessageExpiryTime";
        case ErrorCode::device_disabled:
            return "DeviceDisabled";
        case ErrorCode::generic_not_found:
            return "GenericNotFound";
        case ErrorCode::device_not_found:
            return "DeviceNotFound";
        case ErrorCode::certificate_not_found:
            return "CertificateNotFound";
        case ErrorCode::module_not_found:
            return "ModuleNotFound";
        case ErrorCode::configuration_not_found:
            return "ConfigurationNotFound";
        case ErrorCode::device_not_online:
            return "DeviceNotOnline";
        case ErrorCode::generic_method_not_allowed:
            return "GenericMethodNotAllowed";
        case ErrorCode::generic_timeout:
            return "GenericTimeout";
        case ErrorCode::device_already_exists:
            return "DeviceAlreadyExists";
        case ErrorCode::module_already_exists:
            return "ModuleAlreadyExistsOnDevice";
        case ErrorCode::configuration_already_exists:
            return "ConfigurationAlreadyExists";
        case ErrorCode::configuration_being_applied:
            return "ApplyConfigurationAlreadyInProgressOnDevice";
        case ErrorCode::precondition_failed:
            return "PreconditionFailed";
        case ErrorCode::device_message_lock_lost:
            return "DeviceMessageLockLost";
        case ErrorCode::message_too_large:
            return "MessageTooLarge";
        case ErrorCode::too_many_devices:
            return "TooManyDevices";
        case ErrorCode::too_many_modules:
            return "TooManyModulesOnDevice";
        case ErrorCode::generic_unsupported_media_type:
            return "GenericUnsupportedMediaType";
        case ErrorCode::throttling:
            return "ThrottlingException";
        case ErrorCode::server_error:
            return "ServerError";
        case ErrorCode::generic_bad_gateway:
            return "GenericBadGateway";
        case ErrorCode::service_unavailable:
            return "ServiceUnavailable";
        case ErrorCode::gateway_timeout:
            return "GatewayTimeout";
    }
    return "ServerError";
}

ErrorCode from(base::Code code) {
    using base::Code;
    switch (code) {
        case Code::invalid_argument:
        case Code::usage:
            return ErrorCode::argument_invalid;
        case Code::malformed:
            return ErrorCode::iot_hub_format_error;
        case Code::unauthenticated:
            return ErrorCode::iot_hub_unauthorized;
        case Code::permission_denied:
            return ErrorCode::iot_hub_unauthorized_access;
        case Code::not_found:
            return ErrorCode::generic_not_found;
        case Code::already_exists:
            return ErrorCode::device_already_exists;
        case Code::precondition_failed:
            return ErrorCode::precondition_failed;
        case Code::too_large:
            return ErrorCode::message_too_large;
        case Code::rate_limited:
            return ErrorCode::throttling;
        case Code::timeout:
            return ErrorCode::generic_timeout;
        case Code::unsupported:
            return ErrorCode::generic_bad_request;
        case Code::unavailable:
        case Code::closed:
        case Code::cancelled:
        case Code::io:
        case Code::disk_full:
        case Code::address_in_use:
            return ErrorCode::service_unavailable;
        case Code::internal:
            return ErrorCode::server_error;
    }
    return ErrorCode::server_error;
}

std::string error_body(ErrorCode code, std::string_view text, std::string_view tracking_id,
                       base::Instant now) {
    std::string message = "ErrorCode:" + std::string(name(code)) + ";";
    // SDKs split at the first ';', some at every one.
    std::ranges::replace_copy(text, std::back_inserter(message), ';', ',');
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(now - day);
    char stamp[64];
    std::snprintf(stamp, sizeof stamp, "%02u/%02u/%04d %02d:%02d:%02d", static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(date.year()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    boost::json::object body;
    body["Message"] = message;
    body["ExceptionMessage"] = "Tracking ID:" + std::string(tracking_id) + "-TimeStamp:" + stamp;
    return boost::json::serialize(body);
}

std::string numbered_error(ErrorCode code, std::string_view text, std::string_view tracking_id,
                           std::chrono::sys_time<std::chrono::milliseconds> now) {
    return numbered_error(code, text, tracking_id, now, boost::json::object());
}

std::string numbered_error(ErrorCode code, std::string_view text, std::string_view tracking_id,
                           std::chrono::sys_time<std::chrono::milliseconds> now,
                           const boost::json::object& info) {
    boost::json::object body;
    body["errorCode"] = static_cast<int>(code);
    body["trackingId"] = boost::json::string_view(tracking_id);
    body["message"] = boost::json::string_view(text);
    body["info"] = info;
    body["timestampUtc"] = base::format_rfc3339_ms(now);
    return boost::json::serialize(body);
}

std::string error_text(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    if (object == nullptr) return {};
    for (const auto* name : {"Message", "message"}) {
        const auto* message = object->if_contains(name);
        if (message == nullptr || !message->is_string()) continue;
        const std::string text(message->get_string());
        const auto end = text.starts_with("ErrorCode:") ? text.find(';') : std::string::npos;
        return end == std::string::npos ? text : text.substr(end + 1);
    }
    return {};
}

}  // namespace azure
