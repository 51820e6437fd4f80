// SPDX-License-Identifier: Apache-2.0
#include "edge/identity_service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/result.hpp"

namespace edge {
namespace {

constexpr const char* trust_bundle_id = "aziot-edged-trust-bundle";
// Of who asks while the hub is asked for the first time: a known module can go on without it.
constexpr std::chrono::milliseconds patience_for_news{2000};
constexpr std::chrono::minutes patience_for_anything{2};

// Whatever the hub or the keys service said no to is a 404 of this API (edge-runtime.md 3.5).
int status_of_identity(base::Code code) {
    switch (code) {
        case base::Code::invalid_argument:
            return 400;
        case base::Code::unauthenticated:
            return 401;
        case base::Code::malformed:
            return 422;
        case base::Code::not_found:
            return 404;
        default:
            return 500;
    }
}

std::unexpected<base::Error> client_error(std::string_view what, const base::Error& why) {
    return base::fail(base::Code::not_found, fmt::format("{} client error", what),
                      fmt::format("caused by: {}", why.text()));
}

base::Status check_type(const std::optional<std::string>& type) {
    if (type == "aziot") return {};
    if (type == "local") return bad_parameter("type", "local identities are not available in this version");
    return bad_parameter("type", type ? fmt::format("{} is not known", *type) : "is missing");
}

}  // namespace

base::Result<std::unique_ptr<IdentityService>> IdentityService::make(IdentityConfig config,
                                                                     const base::Clock& clock,
                                                                     ClockFloor* floor) {
    std::optional<IdentityState> state;
    if (config.method != IdentityConfig::Method::none) {
        SP_TRY(return, auto opened,
                     IdentityState::open(config.home, config.hub.name,
                                         config.parent.value_or(config.hub.name), config.device_id));
        state = std::move(opened);
    }
    return std::unique_ptr<IdentityService>(
        new IdentityService(std::move(config), std::move(state), clock, floor));
}

IdentityService::IdentityService(IdentityConfig config, std::optional<IdentityState> state,
                                 const base::Clock& clock, ClockFloor* floor)
    : config_(std::move(config)),
      state_(std::move(state)),
      clock_(clock),
      floor_(floor),
      keys_(config_.keys_socket.string(), clock, connections_to_keys),
      certificates_(config_.certificates_socket.string(), clock, connections_to_certificates) {
    using Method = IdentityConfig::Method;
    if (config_.method == Method::x509 || config_.method == Method::x509_issued)
        renewal_.emplace(device_certificate(), keys_, certificates_, clock_);
    using http::Verb;
    const std::string_view first = "2020-09-01";
    std::vector<Route> routes{
        {Verb::get, "/identities/identity", first, Body::none,
         [this](Call c) { return own_identity(std::move(c)); }},
        {Verb::get, "/identities/provisioning", "2021-12-01", Body::none,
         [this](Call) { return ready(provisioning()); }},
        {Verb::post, "/identities/device", first, Body::required,
         [this](Call c) { return device(std::move(c)); }},
        {Verb::post, "/identities/device/reprovision", first, Body::optional,
         [this](Call c) { return reprovision(std::move(c)); }},
        {Verb::get, "/identities/modules", first, Body::none, [this](Call c) { return list(std::move(c)); }},
        {Verb::post, "/identities/modules", first, Body::required,
         [this](Call c) { return create(std::move(c)); }},
        {Verb::get, "/identities/modules/{id}", first, Body::none,
         [this](Call c) { return get(std::move(c)); }},
        {Verb::put, "/identities/modules/{id}", first, Body::required,
         [this](Call c) { return update(std::move(c)); }},
        {Verb::delete_, "/identities/modules/{id}", first, Body::optional,
         [this](Call c) { return remove(std::move(c)); }},
        // Of our own: the workload service tells of a new identity certificate (interfaces.md 7).
        {Verb::post, "/identities/modules/{id}/thumbprint", first, Body::required,
         [this](Call c) { return thumbprint(std::move(c)); }},
        {Verb::get, "/trust-bundle", first, Body::none, [this](Call) { return trust_bundle(); }},
    };
    api_ = std::make_unique<LocalApi>("identity",
                                      std::vector<std::string>{"2020-09-01", "2021-12-01", "2022-08-01"},
                                      std::move(routes), status_of_identity);
}

const Principal* IdentityService::principal(const Caller& caller) const {
    if (!caller.user) return nullptr;
    const Principal* found = nullptr;
    for (const auto& each : config_.principals) {
        if (each.uid != caller.user) continue;
        // Under --root the daemon and its modules share one uid, and the daemon may everything.
        if (each.idtype.empty()) return &each;
        if (!found) found = &each;
    }
    return found;
}

IdentityService::Who IdentityService::who(const Caller& caller) const {
    if (const auto* known = principal(caller))
        return known->idtype.empty() ? Who::everything : Who::host_process;
    return caller.user == uid_t{0} ? Who::everything : Who::nobody;
}

base::Status IdentityService::may_all(const Caller& caller) const {
    if (who(caller) == Who::everything) return {};
    return base::fail(base::Code::unauthenticated, "authorization error", "");
}

base::Status IdentityService::may_module(const Caller& caller, const std::string& module) const {
    if (who(caller) == Who::everything) return {};
    const auto* known = principal(caller);
    if (known && known->name == module && std::ranges::find(known->idtype, "module") != known->idtype.end())
        return {};
    return base::fail(base::Code::unauthenticated, "authorization error", "");
}

base::Status IdentityService::provisioned() const {
    if (state_) return {};
    return base::fail(base::Code::invalid_argument, "device identity not found", "");
}

json::object IdentityService::spec() const {
    return {{"hubName", config_.hub.name},
            {"gatewayHost", config_.parent.value_or(config_.hub.name)},
            {"deviceId", config_.device_id}};
}

net::Task<Answer> IdentityService::device_answer() {
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    auto identity = spec();
    if (config_.method == IdentityConfig::Method::sas) {
        auto handle = co_await keys_.load_key(config_.key_id);
        if (!handle) co_return client_error("Key", handle.error());
        identity["auth"] = json::object{{"type", "sas"}, {"keyHandle", *handle}};
    } else {
        auto handle = co_await keys_.load_pair(config_.key_id);
        if (!handle) co_return client_error("Key", handle.error());
        identity["auth"] =
            json::object{{"type", "x509"}, {"keyHandle", *handle}, {"certId", config_.certificate_id}};
    }
    co_return ok({{"type", "aziot"}, {"spec", std::move(identity)}});
}

net::Task<Answer> IdentityService::module_answer(ModuleRecord record) {
    if (record.generation.empty())
        co_return base::fail(base::Code::invalid_argument, "module identity not found", "");
    auto master = co_await keys_.create_key("aziot_identityd_master_id", "derive,sign");
    if (!master) co_return client_error("Key", master.error());
    const auto data = fmt::format("{}:{}:primary", record.id, record.generation);
    const auto bytes = base::as_bytes(data);
    auto handle = co_await keys_.derive(*master, base::Bytes(bytes.begin(), bytes.end()));
    if (!handle) co_return client_error("Key", handle.error());
    auto identity = spec();
    identity["moduleId"] = record.id;
    identity["genId"] = record.generation;
    // The handle of a module that proves itself by certificate signs for it alone; no token of it counts.
    json::object auth{{"type", uses_certificate(record.id) ? "x509" : "sas"}, {"keyHandle", *handle}};
    if (uses_certificate(record.id)) auth["certId"] = module_identity_certificate(record.id);
    identity["auth"] = std::move(auth);
    co_return ok({{"type", "aziot"}, {"spec", std::move(identity)}});
}

net::Task<Answer> IdentityService::own_identity(Call call) {
    const auto* known = principal(call.caller);
    const bool device_too = known && std::ranges::find(known->idtype, "device") != known->idtype.end();
    if (who(call.caller) == Who::everything || device_too) return device_answer();
    if (!known) return ready(base::fail(base::Code::unauthenticated, "authorization error", ""));
    call.ids = {known->name};
    call.target.query = {{"type", "aziot"}};
    return get(std::move(call));
}

net::Task<Answer> IdentityService::device(Call call) {
    const auto* known = principal(call.caller);
    const bool allowed = who(call.caller) == Who::everything ||
                         (known && std::ranges::find(known->idtype, "device") != known->idtype.end());
    if (!allowed) return ready(base::fail(base::Code::unauthenticated, "authorization error", ""));
    // Its value is not looked at (edge-runtime.md 3.1).
    if (auto type = text_member(call.body, "type"); !type)
        return ready(std::unexpected(std::move(type).error()));
    return device_answer();
}

net::Task<Answer> IdentityService::reprovision(Call call) {
    if (auto allowed = may_all(call.caller); !allowed) co_return std::unexpected(std::move(allowed).error());
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    auto done = co_await reconcile();
    if (!done) co_return client_error("Hub", done.error());
    co_return no_content();
}

net::Task<Answer> IdentityService::list(Call call) {
    if (auto allowed = may_all(call.caller); !allowed) co_return std::unexpected(std::move(allowed).error());
    if (auto good = check_type(call.target.value("type")); !good)
        co_return std::unexpected(std::move(good).error());
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    json::array identities;
    const auto add = [&](const std::string& id, const std::string& generation) {
        auto identity = spec();
        identity["moduleId"] = id;
        if (!generation.empty()) identity["genId"] = generation;
        identities.push_back(json::object{{"type", "aziot"}, {"spec", std::move(identity)}});
    };
    auto hub = co_await registry();
    base::Result<std::vector<HubModule>> listed = base::fail(base::Code::unavailable, "hub", "was not asked");
    if (hub) {
        const auto found = *hub;
        listed = co_await found->list();
    }
    if (listed)
        for (const auto& module : *listed) add(module.id, module.generation);
    else
        for (const auto& [id, record] : state_->modules()) add(id, record.generation);
    co_return ok({{"identities", std::move(identities)}});
}

net::Task<Answer> IdentityService::create(Call call) {
    if (auto allowed = may_all(call.caller); !allowed) co_return std::unexpected(std::move(allowed).error());
    auto type = optional_text_member(call.body, "type");
    if (!type) co_return std::unexpected(std::move(type).error());
    if (auto good = check_type(*type); !good) co_return std::unexpected(std::move(good).error());
    auto module = text_member(call.body, "moduleId");
    if (!module) co_return std::unexpected(std::move(module).error());
    if (auto good = trust::check_id(*module, "module id"); !good)
        co_return bad_parameter("moduleId", good.error().reason);
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    auto hub = co_await registry();
    if (!hub) co_return client_error("Hub", hub.error());
    const auto opened = *hub;
    auto created = co_await opened->create(*module);
    // Left without keys by a creation that ended in the middle, or made by hand at the hub: it becomes ours.
    if (!created && created.error().code == base::Code::already_exists)
        created = co_await opened->get(*module);
    if (!created) co_return client_error("Hub", created.error());
    auto record = co_await set_keys(opened, *std::move(created));
    if (!record) co_return client_error("Hub", record.error());
    auto answer = co_await module_answer(*std::move(record));
    co_return answer;
}

net::Task<Answer> IdentityService::get(Call call) {
    if (auto good = check_type(call.target.value("type")); !good)
        co_return std::unexpected(std::move(good).error());
    const auto module = call.ids[0];
    if (auto allowed = may_module(call.caller, module); !allowed)
        co_return std::unexpected(std::move(allowed).error());
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    // Right after a start a module's caller is told better a moment later than "unknown", or than a
    // generation that the hub has replaced while this device was off.
    co_await first_attempt(state_->find(module) ? patience_for_news : patience_for_anything);
    // Answered from our own state: a token must not cost a round trip to the hub (13.1, no. 22).
    if (const auto* known = state_->find(module)) {
        ModuleRecord record = *known;
        auto answer = co_await module_answer(std::move(record));
        co_return answer;
    }
    auto hub = co_await registry();
    if (!hub) co_return client_error("Hub", hub.error());
    const auto opened = *hub;
    auto found = co_await opened->get(module);
    if (!found) co_return client_error("Hub", found.error());
    ModuleRecord record{found->id, found->managed_by, found->generation};
    auto keys = co_await derived_keys(found->id, found->generation);
    if (!keys) co_return client_error("Key", keys.error());
    // What has not our keys is not yet a module of this device's runtime: no handle would fit it. A question
    // changes nothing at the hub; whoever may, makes the module ours by an update (edge-runtime.md 4.1).
    if (!uses_certificate(found->id) && !has_keys(*found, *keys))
        co_return base::fail(base::Code::invalid_argument, "module identity not found",
                             "has not the keys of this device at the hub",
                             "update it: PUT /identities/modules/{id}");
    if (auto saved = state_->save(record); !saved) co_return std::unexpected(std::move(saved).error());
    auto answer = co_await module_answer(std::move(record));
    co_return answer;
}

net::Task<Answer> IdentityService::update(Call call) {
    if (auto allowed = may_all(call.caller); !allowed) co_return std::unexpected(std::move(allowed).error());
    if (auto good = check_type(call.target.value("type")); !good)
        co_return std::unexpected(std::move(good).error());
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    auto hub = co_await registry();
    if (!hub) co_return client_error("Hub", hub.error());
    const auto opened = *hub;
    auto found = co_await opened->get(call.ids[0]);
    if (!found) co_return client_error("Hub", found.error());
    auto record = co_await set_keys(opened, *std::move(found));
    if (!record) co_return client_error("Hub", record.error());
    auto answer = co_await module_answer(*std::move(record));
    co_return answer;
}

net::Task<Answer> IdentityService::remove(Call call) {
    if (auto allowed = may_all(call.caller); !allowed) co_return std::unexpected(std::move(allowed).error());
    if (auto good = check_type(call.target.value("type")); !good)
        co_return std::unexpected(std::move(good).error());
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    auto hub = co_await registry();
    if (!hub) co_return client_error("Hub", hub.error());
    const auto opened = *hub;
    auto removed = co_await opened->remove(call.ids[0]);
    if (!removed) co_return client_error("Hub", removed.error());
    if (auto forgotten = state_->remove(call.ids[0]); !forgotten)
        co_return std::unexpected(std::move(forgotten).error());
    co_return no_content();
}

net::Task<Answer> IdentityService::trust_bundle() {
    auto pem = co_await certificates_.read(trust_bundle_id);
    if (!pem && pem.error().code != base::Code::not_found) co_return std::unexpected(std::move(pem).error());
    co_return ok({{"certificate", pem.value_or("")}});
}

Answer IdentityService::provisioning() const {
    if (config_.method == IdentityConfig::Method::none) return ok({{"source", "none"}});
    return ok(
        {{"source", "manual"}, {"auth", config_.method == IdentityConfig::Method::sas ? "sas" : "x509"}});
}

}  // namespace edge
