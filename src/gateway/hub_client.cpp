// SPDX-License-Identifier: Apache-2.0
#include "gateway/hub_client.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <deque>
#include <unordered_set>
#include <utility>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/timer.hpp"

namespace gateway {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds call_limit{30};
/// How much longer than `wait` a held request may take.
constexpr std::chrono::seconds held_slack{20};
constexpr int page_size = 500;
constexpr std::string_view scope_version = "?api-version=2020-06-30-preview";
constexpr std::string_view hub_version = "api-version=2021-04-12";

base::Result<json::object> object_of(std::string_view body, std::string_view what) {
    boost::system::error_code wrong;
    auto document = json::parse(body, wrong);
    if (wrong || !document.is_object()) {
        return base::fail(base::Code::malformed, "hub",
                          "answered " + std::string(what) + " with no JSON object");
    }
    return std::move(document).as_object();
}

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool flag_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value && value->is_bool() && value->as_bool();
}

std::vector<trust::Record> records_of(azure::ScopeResult result) {
    std::vector<trust::Record> records;
    for (auto& device : result.devices) records.push_back(std::move(device.record));
    for (auto& module : result.modules) records.push_back(std::move(module.record));
    return records;
}

void log_skipped(const std::vector<std::string>& skipped) {
    for (const auto& name : skipped) {
        base::log::warning(base::events::scope_record_skipped,
                           {{"record", name}, {"reason", "cannot be read; the others are taken"}});
    }
}

}  // namespace

base::Result<ScopeChanges> read_scope_changes(std::string_view body) {
    SP_TRY(return, const auto object, object_of(body, "scopeChanges"));
    ScopeChanges changes;
    const auto* version = object.if_contains("version");
    boost::system::error_code wrong;
    if (version) changes.version = version->to_number<std::uint64_t>(wrong);
    if (!version || wrong)
        return base::fail(base::Code::malformed, "hub", "answered scopeChanges without a version");
    changes.certificates = flag_of(object, "certificates");
    changes.all = flag_of(object, "all");
    if (const auto* list = object.if_contains("identities"); list && list->is_array()) {
        for (const auto& item : list->as_array()) {
            if (item.is_string()) {
                changes.identities.push_back(trust::Identity::of(item.as_string()));
            } else if (item.is_object()) {
                changes.identities.push_back(
                    {text_of(item.as_object(), "deviceId"), text_of(item.as_object(), "moduleId")});
            }
        }
    }
    return changes;
}

base::Result<std::vector<VerifiedCa>> read_certificates(std::string_view body,
                                                        std::vector<std::string>* skipped) {
    SP_TRY(return, const auto object, object_of(body, "caCertificates"));
    const auto* list = object.if_contains("certificates");
    if (!list || !list->is_array()) {
        return base::fail(base::Code::malformed, "hub", "answered caCertificates without certificates");
    }
    std::vector<VerifiedCa> certificates;
    for (const auto& item : list->as_array()) {
        if (!item.is_object()) continue;
        const auto name = text_of(item.as_object(), "name");
        const auto der = base::from_base64(text_of(item.as_object(), "certificate"));
        auto certificate =
            der ? pki::Certificate::from_der(*der) : base::fail(base::Code::malformed, name, "no base64");
        if (!certificate) {
            if (skipped) skipped->push_back("CA certificate " + name);
            continue;
        }
        certificates.push_back({name, std::move(*certificate)});
    }
    return certificates;
}

HubClient::HubClient(const Config& config, const HubTls& tls, TokenSource& tokens, HubLink& link,
                     const base::Clock& clock)
    : config_(config), tls_(tls), tokens_(tokens), link_(link), clock_(clock) {}

net::Task<base::Result<http::Response>> HubClient::call(http::Verb verb, std::string route, std::string body,
                                                        std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    auto token = co_await tokens_.token(std::min(limit, std::chrono::milliseconds(workload_limit)));
    if (!token) {
        link_.unused();
        co_return std::unexpected(std::move(token).error());
    }
    http::Request request;
    request.verb = verb;
    request.raw_target = "/devices/" + base::percent_encode(config_.module.device_id) + "/modules/" +
                         base::percent_encode(config_.module.module_id) + "/" + route;
    request.headers.add("Authorization", std::move(*token));
    if (!body.empty()) request.headers.add("Content-Type", "application/json; charset=utf-8");
    request.body = std::move(body);
    // The limit is one for both calls: who waits for the answer does not care which of the two is slow.
    const auto left = std::max(std::chrono::milliseconds(1), net::left_until(until));
    const net::TlsTarget target{config_.hub.address, config_.hub.https_port, config_.hub.name};
    pki::Verdict verdict;
    const http::Endpoint endpoint = http::TlsEndpoint{target, tls_.get(), &verdict};
    auto answer = co_await http::request(endpoint, std::move(request), left, clock_);
    judgement_.log(config_.hub.name, verdict);
    if (!answer) {
        link_.failed(answer.error());
        co_return std::unexpected(std::move(answer).error());
    }
    link_.succeeded();
    co_return std::move(*answer);
}

base::Error HubClient::unexpected(const http::Response& answer, std::string_view what) {
    const std::string reason = "answered " + std::string(what) + " with " + std::to_string(answer.status) +
                               " " + answer.body.substr(0, 300);
    if (answer.status == 401 || answer.status == 403) {
        tokens_.forget();
        return {
            base::Code::unauthenticated, "hub " + config_.hub.name, reason,
            "see that " + config_.module.device_id + " is enabled at the hub and that both clocks are right"};
    }
    if (answer.status == 404) return {base::Code::not_found, "hub " + config_.hub.name, reason, ""};
    return {base::Code::unavailable, "hub " + config_.hub.name, reason, ""};
}

net::Task<base::Status> HubClient::children(std::string chain, std::vector<trust::Record>& into) {
    std::string continuation;
    do {
        json::object body{{"pageSize", page_size}, {"authChain", chain}};
        if (!continuation.empty()) body["continuationLink"] = continuation;
        const std::string route = "devicesAndModulesInTargetDeviceScope" + std::string(scope_version);
        SP_TRY(co_return, const auto answer,
               co_await call(http::Verb::post, route, json::serialize(body), call_limit));
        if (answer.status != 200) co_return std::unexpected(unexpected(answer, "the scope of " + chain));
        std::vector<std::string> skipped;
        SP_TRY(co_return, auto page, azure::read_scope_result(answer.body, &skipped));
        log_skipped(skipped);
        continuation = page.continuation;
        for (auto& record : records_of(std::move(page))) into.push_back(std::move(record));
    } while (!continuation.empty());
    co_return base::Status{};
}

net::Task<base::Result<std::vector<trust::Record>>> HubClient::whole_scope() {
    std::vector<trust::Record> all;
    const std::string& self = config_.module.device_id;
    std::deque<std::pair<std::string, std::string>> edges{{self, self}};  // id, its chain up to us
    std::unordered_set<std::string> seen{self};
    while (!edges.empty()) {
        const auto [edge, chain] = edges.front();
        edges.pop_front();
        const std::size_t from = all.size();
        auto fetched = co_await children(chain, all);
        if (!fetched) co_return std::unexpected(std::move(fetched).error());
        if (std::count(chain.begin(), chain.end(), ';') + 1 >= most_edge_layers) continue;
        for (std::size_t at = from; at < all.size(); ++at) {
            const auto& record = all[at];
            if (record.identity.is_module() || !record.edge_enabled) continue;
            // The hub tells nothing of what lies under a disabled one, and nobody there is let in.
            if (record.status != trust::Enablement::enabled) continue;
            if (seen.insert(record.identity.device).second) {
                edges.emplace_back(record.identity.device, record.identity.device + ";" + chain);
            }
        }
    }
    co_return all;
}

net::Task<base::Result<HubAnswer>> HubClient::identity(trust::Identity identity,
                                                       std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    json::object body{{"targetDeviceId", identity.device}, {"authChain", config_.module.device_id}};
    if (identity.is_module()) body["targetModuleId"] = identity.module;
    const std::string route = "getDeviceAndModuleOnBehalfOf" + std::string(scope_version);
    SP_TRY(co_return, const auto answer,
           co_await call(http::Verb::post, route, json::serialize(body), limit));
    if (answer.status == 200) {
        SP_TRY(co_return, auto result, azure::read_scope_result(answer.body, nullptr));
        HubAnswer found;
        found.records = records_of(std::move(result));
        const bool there = std::any_of(found.records.begin(), found.records.end(),
                                       [&](const auto& record) { return record.identity == identity; });
        // A 200 never means "no": a record that cannot be read must not cost the device its messages.
        if (!there) {
            co_return base::fail(
                base::Code::malformed, "hub " + config_.hub.name,
                "answered about " + identity.text() + " with no record of it that can be read");
        }
        found.kind = HubAnswer::Kind::in_scope;
        co_return found;
    }
    if (answer.status != 400 && answer.status != 401 && answer.status != 403 && answer.status != 404) {
        co_return std::unexpected(unexpected(answer, "a question about " + identity.text()));
    }
    // "No" may mean the target or ourselves (gateway.md 2.6). Only a hub that still accepts our token has
    // spoken about the target: a gateway whose own credential fails must not unlearn its devices.
    const auto left = net::left_until(until);
    if (left <= std::chrono::milliseconds(0)) {
        co_return base::fail(base::Code::timeout, "hub " + config_.hub.name, "did not answer in time");
    }
    const auto own = co_await certificates(left);
    if (!own) co_return std::unexpected(own.error());
    co_return HubAnswer{};
}

net::Task<base::Result<std::vector<VerifiedCa>>> HubClient::certificates(std::chrono::milliseconds limit) {
    const std::string route = "caCertificates?" + std::string(hub_version);
    SP_TRY(co_return, const auto answer, co_await call(http::Verb::get, route, "", limit));
    if (answer.status != 200) co_return std::unexpected(unexpected(answer, "the CA certificates"));
    std::vector<std::string> skipped;
    auto certificates = read_certificates(answer.body, &skipped);
    log_skipped(skipped);
    co_return certificates;
}

net::Task<base::Result<ScopeChanges>> HubClient::changes(std::uint64_t since, std::chrono::seconds wait) {
    const std::string route = "scopeChanges?since=" + std::to_string(since) +
                              "&wait=" + std::to_string(wait.count()) + "&" + std::string(hub_version);
    SP_TRY(co_return, const auto answer, co_await call(http::Verb::get, route, "", wait + held_slack));
    if (answer.status != 200) co_return std::unexpected(unexpected(answer, "scopeChanges"));
    co_return read_scope_changes(answer.body);
}

}  // namespace gateway
