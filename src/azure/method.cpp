// SPDX-License-Identifier: Apache-2.0
#include "azure/method.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "azure/errors.hpp"
#include "azure/json_reader.hpp"
#include "azure/json_text.hpp"
#include "azure/raw_json.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_name = 1024;
// One level less than a whole request may have, so that what a device answers fits into one again.
constexpr std::size_t deepest_method_payload = 31;

/// hub.md 3.4, and no wildcards, since the name stands in a topic.
base::Status check_name(std::string_view name) {
    constexpr std::string_view forbidden = "$()<>@,;:\\\"/[]?={}+#";
    const auto wrong = [](std::string reason) {
        return base::fail(base::Code::invalid_argument, "methodName", std::move(reason));
    };
    if (name.empty()) return wrong("is missing");
    if (name.size() > longest_name) {
        return wrong("has " + std::to_string(name.size()) + " characters, at most " +
                     std::to_string(longest_name) + " are allowed");
    }
    const bool fine = std::ranges::all_of(
        name, [&](char c) { return c > 0x20 && c < 0x7F && forbidden.find(c) == std::string_view::npos; });
    if (!fine) return wrong("holds white space, a control or separator character, or one that is not ASCII");
    return {};
}

/// The member as it stands in the text, whatever escapes its name has; the last one counts, as for a parser.
std::string_view raw_value(std::string_view document, std::string_view wanted) {
    std::string_view found;
    const auto members = raw_members(document);
    if (!members) return found;
    for (const auto& [name, value] : *members) {
        json::error_code failed;
        const auto decoded = json::parse("\"" + std::string(name) + "\"", failed);
        if (!failed && decoded.is_string() && decoded.get_string() == wanted) found = value;
    }
    return found;
}

base::Result<std::chrono::seconds> timeout(const JsonObject& request, std::string_view name,
                                           std::chrono::seconds least, std::chrono::seconds otherwise) {
    constexpr std::int64_t most = 300;
    SP_TRY(return, const auto given, request.integer(name));
    if (!given) return otherwise;
    if (*given < least.count() || *given > most) {
        return request.fail(name, "is " + std::to_string(*given) + ", and has to be from " +
                                      std::to_string(least.count()) + " to " + std::to_string(most) +
                                      " seconds");
    }
    return std::chrono::seconds(*given);
}

base::Status check_size(std::string_view thing, std::size_t size) {
    if (size <= largest_method_payload) return {};
    return base::fail(base::Code::too_large, std::string(thing),
                      "has " + std::to_string(size) + " bytes, at most " +
                          std::to_string(largest_method_payload) + " are allowed");
}

}  // namespace

base::Result<MethodRequest> parse_method_request(std::string_view body) {
    SP_TRY(return, const auto document, JsonObject::parse(body));
    SP_TRY(return, const auto object, JsonObject::root(document));
    MethodRequest request;
    SP_TRY(return, const auto name, object.text("methodName"));
    request.name = name.value_or("");
    if (auto fine = check_name(request.name); !fine) return std::unexpected(std::move(fine).error());
    SP_TRY(
        return, request.response_timeout,
              timeout(object, "responseTimeoutInSeconds", std::chrono::seconds(5), request.response_timeout));
    SP_TRY(
        return, request.connect_timeout,
              timeout(object, "connectTimeoutInSeconds", std::chrono::seconds(0), request.connect_timeout));
    request.payload = raw_value(body, "payload");
    if (auto fine = check_size("payload", request.payload.size()); !fine)
        return std::unexpected(std::move(fine).error());
    return request;
}

std::string method_topic(std::string_view name, std::string_view request) {
    return "$iothub/methods/POST/" + std::string(name) + "/?$rid=" + std::string(request);
}

base::Result<std::string> method_result(std::int64_t status, std::span<const std::byte> payload) {
    if (auto fine = check_size("payload of the device's answer", payload.size()); !fine)
        return std::unexpected(std::move(fine).error());
    const auto text = base::trim(base::as_text(payload));
    if (!text.empty() && !is_json(text, deepest_method_payload)) {
        return base::fail(base::Code::malformed, "payload of the device's answer", "is not JSON");
    }
    return R"({"status":)" + std::to_string(status) + R"(,"payload":)" +
           std::string(text.empty() ? "null" : text) + "}";
}

std::string method_failure_body(const MethodFailure& failure, std::string_view tracking_id,
                                std::chrono::sys_time<std::chrono::milliseconds> now) {
    const std::chrono::hh_mm_ss waited(failure.waited);
    char timeout[16];
    std::snprintf(timeout, sizeof timeout, "%02d:%02d:%02d", static_cast<int>(waited.hours().count()),
                  static_cast<int>(waited.minutes().count()), static_cast<int>(waited.seconds().count()));
    json::object outer;
    outer["Message"] = numbered_error(failure.code, failure.message, tracking_id, now,
                                      json::object{{"timeout", std::string(timeout)}});
    outer["ExceptionMessage"] = "";
    return json::serialize(outer);
}

}  // namespace azure
