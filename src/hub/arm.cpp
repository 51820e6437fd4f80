// SPDX-License-Identifier: Apache-2.0
#include "hub/arm.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"

namespace hub {
namespace arm {

http::Response refuse(const Call& call, const Refusal& refusal) {
    auto response = call.refuse(refusal);
    const std::string name(azure::name(refusal.code));
    response.body = boost::json::serialize(
        boost::json::object{{"code", name},
                            {"httpStatusCode", std::to_string(response.status)},
                            {"message", refusal.text},
                            {"details", nullptr},
                            {"error", boost::json::object{{"code", name}, {"message", refusal.text}}}});
    return response;
}

http::Response refuse(const Call& call, azure::ErrorCode code, std::string text) {
    return refuse(call, Refusal{code, std::move(text)});
}

boost::json::object document(const Call& call, const registry::CaCertificate& entry) {
    const auto& certificate = entry.certificate;
    const std::string id = "/subscriptions/" + call.at("s") + "/resourceGroups/" + call.at("g") +
                           "/providers/Microsoft.Devices/IotHubs/" + call.at("hub") + "/certificates/" +
                           entry.name;
    return {{"id", id},
            {"name", entry.name},
            {"type", "Microsoft.Devices/IotHubs/Certificates"},
            {"etag", entry.etag},
            {"properties", boost::json::object{{"subject", certificate.subject()},
                                               {"expiry", base::format_rfc1123(certificate.not_after())},
                                               {"thumbprint", base::to_hex_upper(certificate.sha1())},
                                               {"isVerified", entry.verified},
                                               {"created", base::format_rfc1123(entry.created)},
                                               {"updated", base::format_rfc1123(entry.updated)},
                                               {"certificate", base::to_base64(certificate.der())}}}};
}

std::optional<Refusal> wrong_hub(const Call& call) {
    if (call.services.config.is_own_name(call.at("hub"))) return std::nullopt;
    return Refusal{azure::ErrorCode::generic_not_found, "hub " + call.at("hub") + " is not this one"};
}

std::optional<Refusal> out_of_place(const Call& call) {
    if (auto refusal = wrong_hub(call)) return refusal;
    if (call.if_match().kind != registry::IfMatch::Kind::absent) return std::nullopt;
    return Refusal{azure::ErrorCode::precondition_failed, "If-Match is missing"};
}

void log_write(const Call& call, std::string_view name, std::string_view what, std::string thumbprint,
               std::string_view verified) {
    base::log::warning(base::events::ca_certificate_changed, {{"name", std::string(name)},
                                                              {"what", std::string(what)},
                                                              {"thumbprint", std::move(thumbprint)},
                                                              {"verified", std::string(verified)},
                                                              {"by", call.caller.text()},
                                                              {"address", call.peer.address}});
}

}  // namespace arm

base::Result<pki::Certificate> read_uploaded(std::string_view given, std::string_view where, OnlyOne only) {
    std::string text(given);
    const std::string thing(where);
    const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
    if (!has("-----BEGIN")) {
        std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
        const auto bytes = base::from_base64(text);
        if (!bytes) return base::fail(base::Code::malformed, thing, "is neither PEM nor base64");
        text = base::as_text(*bytes);
        if (!has("-----BEGIN")) return pki::Certificate::from_der(*bytes, thing);
    }
    if (has("PRIVATE KEY")) {
        return base::fail(base::Code::invalid_argument, thing, "holds a private key",
                          "upload the certificate alone, and consider that key as disclosed");
    }
    auto chain = pki::certificates_from_pem(text, thing);
    if (!chain) return std::unexpected(std::move(chain).error());
    if (chain->size() != 1 && only == OnlyOne::yes) {
        return base::fail(base::Code::invalid_argument, thing,
                          "holds " + std::to_string(chain->size()) + " certificates",
                          "upload them one by one");
    }
    return std::move(chain->front());
}

}  // namespace hub
