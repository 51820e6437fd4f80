// SPDX-License-Identifier: Apache-2.0
#include "hub/answer.hpp"

#include "base/events.hpp"
#include "base/log.hpp"

namespace hub {

namespace {

constexpr std::string_view json_type = "application/json; charset=utf-8";

http::Response failed(int status, azure::ErrorCode code, std::string_view text, const std::string& tracking,
                      base::Instant now) {
    auto response = http::Response::json(status, azure::error_body(code, text, tracking, now));
    response.headers.set("Content-Type", std::string(json_type));
    response.headers.set("iothub-errorcode", std::string(azure::name(code)));
    response.headers.set("x-ms-request-id", tracking);
    return response;
}

}  // namespace

http::Response refuse(const Refusal& refusal, const std::string& tracking, base::Instant now) {
    auto response = failed(azure::http_status(refusal.code), refusal.code, refusal.text, tracking, now);
    if (response.status == 401) response.headers.set("WWW-Authenticate", "SharedAccessSignature");
    return response;
}

Refusal to_refusal(const base::Error& error) {
    return to_refusal(error, azure::from(error.code));
}

Refusal to_refusal(const base::Error& error, azure::ErrorCode code) {
    if (azure::http_status(code) < 500) return {code, error.text()};
    base::log::error(base::events::store_failed, error);
    return {code, "the hub could not do it, its log tells why"};
}

Refusal store_refusal(const base::Error& error) {
    auto refusal = to_refusal(error);
    if (azure::http_status(refusal.code) < 500) base::log::error(base::events::store_failed, error);
    return refusal;
}

http::Response refuse_status(int status, std::string_view reason, const std::string& tracking,
                             base::Instant now) {
    azure::ErrorCode code = azure::ErrorCode::generic_bad_request;
    if (status == 408)
        code = azure::ErrorCode::generic_timeout;
    else if (status == 413)
        code = azure::ErrorCode::message_too_large;
    else if (status >= 500)
        code = azure::ErrorCode::server_error;
    return failed(status, code, reason, tracking, now);
}

http::Response json_with_etag(int status, std::string body, std::string_view etag) {
    auto response = http::Response::json(status, std::move(body));
    response.headers.set("Content-Type", std::string(json_type));
    if (!etag.empty()) response.headers.set("ETag", "\"" + std::string(etag) + "\"");
    return response;
}

}  // namespace hub
