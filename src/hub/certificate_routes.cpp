// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <utility>

#include "base/encoding.hpp"
#include "hub/arm.hpp"
#include "hub/handlers.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::size_t longest_certificate_name = 64;

bool is_valid_name(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return !name.empty() && name.size() <= longest_certificate_name &&
           name.find_first_not_of(allowed) == std::string_view::npos;
}

struct Upload {
    pki::Certificate certificate;
    registry::Registry::Proof proof;
};

base::Result<Upload> read_upload(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* object = value.if_object();
    const auto* member = failed || object == nullptr ? nullptr : object->if_contains("properties");
    const auto* properties = member == nullptr ? nullptr : member->if_object();
    const auto* text = properties == nullptr ? nullptr : properties->if_contains("certificate");
    if (text == nullptr || !text->is_string()) {
        return base::fail(base::Code::malformed, "body", "has no text at properties.certificate");
    }
    auto certificate = read_uploaded(text->get_string(), "properties.certificate", OnlyOne::yes);
    if (!certificate) return std::unexpected(std::move(certificate).error());
    if (!certificate->is_ca()) {
        return base::fail(base::Code::invalid_argument, "certificate " + certificate->subject(),
                          "is no CA certificate (basicConstraints CA:TRUE is missing)",
                          "upload the root or an intermediate that issues device certificates");
    }
    const auto* verified = properties->if_contains("isVerified");
    if (verified != nullptr && !verified->is_bool() && !verified->is_null()) {
        return base::fail(base::Code::invalid_argument, "properties.isVerified", "is not a boolean");
    }
    const bool proven = verified != nullptr && verified->is_bool() && verified->get_bool();
    return Upload{*std::move(certificate),
                  proven ? registry::Registry::Proof::verified : registry::Registry::Proof::unverified};
}

}  // namespace

Answer list_certificates(Call& call) {
    if (const auto refusal = arm::wrong_hub(call)) co_return arm::refuse(call, *refusal);
    const auto stored = call.here.reader->ca_certificates();
    if (!stored) co_return arm::refuse(call, to_refusal(stored.error()));
    boost::json::array list;
    for (const auto& entry : *stored) list.push_back(arm::document(call, entry));
    co_return json_with_etag(200, boost::json::serialize(boost::json::object{{"value", std::move(list)}}),
                             {});
}

Answer get_certificate(Call& call) {
    if (const auto refusal = arm::wrong_hub(call)) co_return arm::refuse(call, *refusal);
    const auto stored = call.here.reader->ca_certificate(call.at("name"));
    if (!stored) co_return arm::refuse(call, to_refusal(stored.error()));
    if (!*stored) co_return arm::refuse(call, azure::ErrorCode::certificate_not_found, call.at("name"));
    co_return json_with_etag(200, boost::json::serialize(arm::document(call, **stored)), (*stored)->etag);
}

Answer put_certificate(Call& call) {
    if (const auto refusal = arm::wrong_hub(call)) co_return arm::refuse(call, *refusal);
    const std::string name = call.at("name");
    if (!is_valid_name(name)) {
        co_return arm::refuse(call, azure::ErrorCode::argument_invalid,
                              "a certificate name has 1 to 64 letters, digits, '-', '.' and '_'");
    }
    auto upload = read_upload(call.request.body);
    if (!upload) co_return arm::refuse(call, body_refusal(upload.error()));
    const auto start = [&](auto done) {
        call.services.registry.put_ca_certificate(name, upload->certificate, upload->proof, call.if_match(),
                                                  std::move(done));
    };
    const auto written = co_await net::await_callback<base::Result<registry::Registry::PutCa>>(start);
    if (!written) co_return arm::refuse(call, write_refusal(written.error()));
    arm::log_write(call, name, written->created ? "created" : "replaced",
                   base::to_hex_upper(written->certificate.certificate.sha256()),
                   written->certificate.verified ? "true" : "false");
    // Whoever got the answer may connect a device at once.
    if (auto fresh = call.services.anchors.refresh(*call.here.reader); !fresh) {
        co_return arm::refuse(call, to_refusal(fresh.error()));
    }
    co_return json_with_etag(written->created ? 201 : 200,
                             boost::json::serialize(arm::document(call, written->certificate)),
                             written->certificate.etag);
}

Answer delete_certificate(Call& call) {
    if (const auto refusal = arm::out_of_place(call)) co_return arm::refuse(call, *refusal);
    const std::string name = call.at("name");
    const auto before = call.here.reader->ca_certificate(name);
    const auto start = [&](auto done) {
        call.services.registry.delete_ca_certificate(name, call.if_match(), std::move(done));
    };
    const auto deleted = co_await net::await_callback<base::Result<bool>>(start);
    if (!deleted) co_return arm::refuse(call, write_refusal(deleted.error()));
    const bool known = before && *before;
    arm::log_write(call, name, "deleted",
                   known ? base::to_hex_upper((*before)->certificate.sha256()) : std::string(), "");
    if (auto fresh = call.services.anchors.refresh(*call.here.reader); !fresh) {
        co_return arm::refuse(call, to_refusal(fresh.error()));
    }
    co_return http::Response::empty(204);
}

}  // namespace hub
