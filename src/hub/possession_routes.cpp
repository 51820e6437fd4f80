// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <utility>

#include "base/encoding.hpp"
#include "hub/arm.hpp"
#include "hub/handlers.hpp"
#include "hub/refusals.hpp"
#include "net/completion.hpp"

/// Proof of possession of a CA's key (hub.md 8).
namespace hub {

namespace {

using Written = base::Result<registry::CaCertificate>;

base::Result<pki::Certificate> read_proof(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* text = object == nullptr ? nullptr : object->if_contains("certificate");
    if (text == nullptr || !text->is_string())
        return base::fail(base::Code::malformed, "body", "has no text at certificate");
    // A CA hands out its certificate with the issuers behind it; the first is the one that was made.
    return read_uploaded(text->get_string(), "certificate", OnlyOne::first_of_chain);
}

std::string thumbprint(const registry::CaCertificate& entry) {
    return base::to_hex_upper(entry.certificate.sha256());
}

}  // namespace

Answer post_verification_code(Call& call) {
    if (const auto refusal = arm::out_of_place(call)) co_return arm::refuse(call, *refusal);
    const std::string name = call.at("name");
    const auto start = [&](auto done) {
        call.services.registry.make_verification_code(name, call.if_match(), std::move(done));
    };
    const auto written = co_await net::await_callback<Written>(start);
    if (!written) co_return arm::refuse(call, write_refusal(written.error()));
    arm::log_write(call, name, "verification code made", thumbprint(*written),
                   written->verified ? "true" : "false");
    auto document = arm::document(call, *written);
    document["properties"].as_object()["verificationCode"] = written->verification_code;
    co_return json_with_etag(200, boost::json::serialize(document), written->etag);
}

Answer post_verify(Call& call) {
    if (const auto refusal = arm::out_of_place(call)) co_return arm::refuse(call, *refusal);
    const std::string name = call.at("name");
    const auto proof = read_proof(call.request.body);
    if (!proof) co_return arm::refuse(call, body_refusal(proof.error()));
    const auto start = [&](auto done) {
        call.services.registry.verify_ca_certificate(name, *proof, call.if_match(), std::move(done));
    };
    const auto written = co_await net::await_callback<Written>(start);
    if (!written) co_return arm::refuse(call, write_refusal(written.error()));
    arm::log_write(call, name, "verified", thumbprint(*written), "true");
    // Whoever got the answer may connect a device at once.
    if (auto fresh = call.services.anchors.refresh(*call.here.reader); !fresh)
        co_return arm::refuse(call, to_refusal(fresh.error()));
    co_return json_with_etag(200, boost::json::serialize(arm::document(call, *written)), written->etag);
}

}  // namespace hub
