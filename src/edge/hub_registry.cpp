// SPDX-License-Identifier: Apache-2.0
#include "edge/hub_registry.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/hub_trust.hpp"
#include "http/date.hpp"
#include "trust/sas_token.hpp"

namespace edge {
namespace {

constexpr std::string_view api_version = "2017-11-08-preview";

base::Result<base::SecretBytes> secret_member(const json::value& from, std::string_view name) {
    const auto* object = from.if_object();
    const auto* value = object ? object->if_contains(name) : nullptr;
    if (!value || value->is_null()) return base::SecretBytes();
    if (!value->is_string())
        return base::fail(base::Code::malformed, "module at the hub",
                          fmt::format("has a {} that is no text", name));
    const auto& text = value->get_string();
    return base::SecretBytes(std::string_view(text.data(), text.size()));
}

base::Result<HubModule> hub_module_of(const json::value& document) {
    HubModule out;
    SP_TRY(return, out.id, text_member(document, "moduleId"));
    SP_TRY(return, auto managed_by, optional_text_member(document, "managedBy"));
    SP_TRY(return, auto generation, optional_text_member(document, "generationId"));
    out.managed_by = managed_by.value_or("");
    out.generation = generation.value_or("");
    // A module without keys, or of another type than sas, is one whose keys are to be set.
    const auto authentication = object_member(document, "authentication");
    if (!authentication) return out;
    if (const auto keys = object_member(*authentication, "symmetricKey")) {
        SP_TRY(return, out.primary_key, secret_member(*keys, "primaryKey"));
        SP_TRY(return, out.secondary_key, secret_member(*keys, "secondaryKey"));
    }
    if (const auto thumbprints = object_member(*authentication, "x509Thumbprint")) {
        SP_TRY(return, const auto primary, optional_text_member(*thumbprints, "primaryThumbprint"));
        out.primary_thumbprint = primary.value_or("");
    }
    return out;
}

base::Error refusal(const std::string& hub, const http::Response& response) {
    std::string said = fmt::format("answered {} {}", response.status, http::reason_phrase(response.status));
    if (const auto body = parse_json(response.body, "answer"))
        if (const auto message = text_member(*body, "Message")) said += ": " + *message;
    const auto code = response.status == 404   ? base::Code::not_found
                      : response.status == 409 ? base::Code::already_exists
                                               : base::Code::permission_denied;
    std::string fix;
    if (response.status == 401)
        fix = "compare the device's id, status and thumbprints at the hub with this device's certificate";
    return {code, "hub " + hub, said, fix};
}

}  // namespace

net::Task<base::Result<std::shared_ptr<const HubRegistry>>> HubRegistry::open(IdentityConfig config,
                                                                              KeysClient keys,
                                                                              CertificatesClient certificates,
                                                                              const base::Clock& clock,
                                                                              ClockFloor* floor) {
    std::shared_ptr<HubRegistry> registry(new HubRegistry(std::move(config), std::move(keys), clock, floor));
    const auto& own = registry->config_;
    net::ClientTls::Options options;
    auto trust = hub_trust(own.hub);
    if (!trust) co_return std::unexpected(std::move(trust).error());
    options.trust = *std::move(trust);
    if (own.method == IdentityConfig::Method::sas) {
        auto handle = co_await registry->keys_.load_key(own.key_id);
        if (!handle) co_return std::unexpected(std::move(handle).error());
        registry->key_handle_ = *std::move(handle);
    } else {
        auto chain = co_await certificates.read_chain(own.certificate_id);
        if (!chain) co_return std::unexpected(std::move(chain).error());
        auto handle = co_await registry->keys_.load_pair(own.key_id);
        if (!handle) co_return std::unexpected(std::move(handle).error());
        auto key = co_await registry->keys_.private_key(*handle);
        if (!key) co_return std::unexpected(std::move(key).error());
        if (!key->matches(chain->front()))
            co_return base::fail(
                base::Code::invalid_argument, "device certificate " + chain->front().subject(),
                "does not belong to the device's private key",
                "identity_cert and identity_pk of [provisioning.authentication] must be a pair");
        registry->certificate_ = chain->front();
        options.chain = *std::move(chain);
        options.key = *std::move(key);
    }
    auto tls = net::ClientTls::make(std::move(options));
    if (!tls) co_return std::unexpected(std::move(tls).error());
    registry->tls_ = *std::move(tls);
    co_return std::shared_ptr<const HubRegistry>(std::move(registry));
}

// A hub says no to an expired certificate as it does to an unknown one: which it was is known here.
base::Error HubRegistry::explained(base::Error refused) const {
    if (refused.code != base::Code::permission_denied || !certificate_) return refused;
    if (clock_.now() < certificate_->not_after()) return refused;
    const bool issued = config_.method == IdentityConfig::Method::x509_issued;
    refused.reason = fmt::format("{}; the device certificate {} has expired at {}", refused.reason,
                                 certificate_->subject(), base::format_rfc3339(certificate_->not_after()));
    refused.fix = issued
                      ? "the log says under certificate.renewal_failed why there is no new one; modules go "
                        "on with the keys that they have"
                      : "put a new certificate and key into the files of identity_cert and identity_pk, and "
                        "its thumbprint into the hub; modules go on with the keys that they have";
    return refused;
}

std::string HubRegistry::path(std::string_view module) const {
    auto text = fmt::format("/devices/{}/modules", path_segment(config_.device_id));
    if (!module.empty()) text += "/" + path_segment(module);
    return text + fmt::format("?api-version={}", api_version);
}

net::Task<base::Result<std::string>> HubRegistry::authorization() const {
    const auto resource = base::to_lower(fmt::format("{}/devices/{}", config_.hub.name, config_.device_id));
    const auto token = trust::unsigned_token(resource, clock_.now() + std::chrono::seconds(30));
    const auto text = token.to_sign();
    const auto bytes = base::as_bytes(text);
    auto signature = co_await keys_.hmac(key_handle_, base::Bytes(bytes.begin(), bytes.end()));
    if (!signature) co_return std::unexpected(std::move(signature).error());
    co_return token.finish(base::to_base64(*signature));
}

net::Task<base::Result<json::value>> HubRegistry::call(http::Verb verb, std::string target,
                                                       std::optional<json::value> body, bool if_match,
                                                       int expected) const {
    http::Request request;
    request.verb = verb;
    request.raw_target = std::move(target);
    if (body) {
        request.body = json::serialize(*body);
        request.headers.set("Content-Type", "application/json");
    }
    if (if_match) request.headers.set("If-Match", "*");
    if (!key_handle_.empty()) {
        auto token = co_await authorization();
        if (!token) co_return std::unexpected(std::move(token).error());
        request.headers.set("Authorization", *std::move(token));
    }
    const auto& name = config_.parent ? *config_.parent : config_.hub.name;
    // A parent gateway has its own address; iothub_address is about the hub alone.
    pki::Verdict verdict;
    net::TlsTarget where{config_.parent ? *config_.parent : config_.hub.address, config_.hub.https_port,
                         name};
    http::Endpoint endpoint = http::TlsEndpoint{std::move(where), tls_, &verdict};
    const std::chrono::milliseconds limit = std::min(config_.cloud_timeout, std::chrono::seconds(20));
    auto answered = co_await http::request(std::move(endpoint), std::move(request), limit, clock_);
    judgement_.log(name, verdict);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    if (const auto date = http::parse_date(answered->headers.get("Date").value_or("")); date && floor_)
        floor_->heard(*date, name);
    if (answered->status != expected) co_return std::unexpected(explained(refusal(name, *answered)));
    if (answered->body.empty()) co_return json::value(nullptr);
    auto parsed = parse_json(answered->body, "answer of hub " + name);
    // Modules come with their keys.
    base::wipe(answered->body.data(), answered->body.size());
    co_return parsed;
}

net::Task<base::Result<std::vector<HubModule>>> HubRegistry::list() const {
    auto answered = co_await call(http::Verb::get, path({}), std::nullopt, false, 200);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    const auto* array = answered->if_array();
    if (!array)
        co_return base::fail(base::Code::malformed, "module list of hub " + config_.hub.name,
                             "is not an array");
    std::vector<HubModule> modules;
    for (const auto& each : *array) {
        auto module = hub_module_of(each);
        if (!module) co_return std::unexpected(std::move(module).error());
        modules.push_back(*std::move(module));
    }
    co_return modules;
}

net::Task<base::Result<HubModule>> HubRegistry::get(std::string module) const {
    auto answered = co_await call(http::Verb::get, path(module), std::nullopt, false, 200);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return hub_module_of(*answered);
}

net::Task<base::Result<HubModule>> HubRegistry::create(std::string module) const {
    json::value body{{"moduleId", module}, {"deviceId", config_.device_id}};
    auto answered = co_await call(http::Verb::put, path(module), std::move(body), false, 200);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return hub_module_of(*answered);
}

net::Task<base::Result<HubModule>> HubRegistry::set_keys(std::string module, base::SecretBytes primary,
                                                         base::SecretBytes secondary) const {
    json::object keys(wiping());
    keys["primaryKey"] = primary.text();
    keys["secondaryKey"] = secondary.text();
    json::object authentication(wiping());
    authentication["type"] = "sas";
    authentication["symmetricKey"] = std::move(keys);
    json::object document(wiping());
    document["moduleId"] = module;
    document["deviceId"] = config_.device_id;
    document["authentication"] = std::move(authentication);
    json::value body(std::move(document));
    auto answered = co_await call(http::Verb::put, path(module), std::move(body), true, 200);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return hub_module_of(*answered);
}

net::Task<base::Result<HubModule>> HubRegistry::set_thumbprints(std::string module, std::string primary,
                                                                std::string secondary) const {
    json::object thumbprints{{"primaryThumbprint", primary}};
    if (!secondary.empty()) thumbprints["secondaryThumbprint"] = secondary;
    // By its word in this api-version for what the hub calls selfSigned (interfaces.md 7).
    json::value body{
        {"moduleId", module},
        {"deviceId", config_.device_id},
        {"authentication", json::object{{"type", "x509"}, {"x509Thumbprint", std::move(thumbprints)}}}};
    auto answered = co_await call(http::Verb::put, path(module), std::move(body), true, 200);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return hub_module_of(*answered);
}

net::Task<base::Status> HubRegistry::remove(std::string module) const {
    auto answered = co_await call(http::Verb::delete_, path(module), std::nullopt, true, 204);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base::Status{};
}

}  // namespace edge
