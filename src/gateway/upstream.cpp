// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream.hpp"

#include <utility>

#include "azure/username.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "net/completion.hpp"

namespace gateway {

namespace {

/// Also for each acknowledgement: a message of 256 KiB has to get through a slow uplink.
constexpr std::chrono::milliseconds connect_limit{60'000};
/// A topic has 16 bits of length.
constexpr std::size_t longest_topic = 65'535;
constexpr std::uint16_t keep_alive_seconds = 240;

bool is_disabled(const trust::Record& record) {
    return record.status == trust::Enablement::disabled ||
           record.device_status == trust::Enablement::disabled;
}

}  // namespace

bool fits_upstream(const trust::Identity& identity, const azure::Message& message) {
    return azure::message_size(message) <= azure::largest_message &&
           azure::telemetry_topic(identity, message).size() <= longest_topic;
}

Upstream::Upstream(const Config& config, const HubTls& tls, SharedScope& scope, ScopeSync& sync,
                   TokenSource& tokens, HubLink& link, const base::Clock& clock)
    : config_(config), tls_(tls), scope_(scope), sync_(sync), tokens_(tokens), link_(link), clock_(clock) {}

mqtt::Client::Options Upstream::options(const trust::Identity& identity, std::string chain,
                                        std::string token) const {
    azure::Claim claim;
    claim.identity = identity;
    claim.host = config_.hub.name;
    claim.api_version = "2021-04-12";
    claim.client_type = "sallyport-gateway/" SALLYPORT_VERSION;
    claim.auth_chain = std::move(chain);
    mqtt::Client::Options options;
    options.target = {config_.hub.address, config_.hub.mqtt_port, config_.hub.name};
    options.tls = tls_.get();
    options.connect.client_id = identity.text();
    options.connect.clean_session = true;
    options.connect.keep_alive = keep_alive_seconds;
    options.connect.user_name = azure::make_username(claim);
    options.connect.password = std::move(token);
    options.limit = connect_limit;
    return options;
}

bool Upstream::is_wanted(const trust::Identity& identity) const {
    const auto cache = scope_.get();
    const auto record = cache->find(identity);
    return record && !is_disabled(*record) && cache->auth_chain(identity);
}

net::Task<Opened> Upstream::open(trust::Identity identity) {
    if (!is_wanted(identity)) {
        // Whether the hub is back is for others to find out: this one has nothing to connect with.
        const bool up = co_await link_.wait_up();
        if (!up) co_return Stopped{};
        if (!is_wanted(identity)) {
            const base::Error why{base::Code::not_found, identity.text(), "is not enabled in our scope", ""};
            auto said = co_await verdict_of_hub(identity, why);
            co_return said;
        }
    }
    const bool mine = co_await link_.turn();
    if (!mine) co_return Stopped{};
    auto chain = scope_.get()->auth_chain(identity);
    if (!chain) {
        link_.unused();
        co_return NotReached{};
    }
    auto token = co_await tokens_.token();
    if (!token) {
        link_.unused();
        co_return NotNow{std::move(token).error()};
    }
    pki::Verdict server;
    auto wanted = options(identity, std::move(*chain), std::move(*token));
    const auto trusted = wanted.tls;
    auto client = co_await mqtt::Client::connect(std::move(wanted), clock_, &server);
    if (client) {
        link_.succeeded();
        if (trusted != tls_.get())
            co_return NotNow{{base::Code::unavailable, "hub " + config_.hub.name,
                              "was accepted by certificates that are not trusted any more", ""}};
        base::log::info(base::events::upstream_opened,
                        {{"device", identity.device}, {"module", identity.module}});
        co_return std::shared_ptr<mqtt::Client>(std::move(*client));
    }
    auto error = std::move(client).error();
    if (error.code == base::Code::cancelled) {
        link_.unused();
        co_return Stopped{};
    }
    // A hub whose certificate we refuse is no hub of ours: nothing was said about the identity.
    const bool refused = server.accepted() && (error.code == base::Code::unauthenticated ||
                                               error.code == base::Code::invalid_argument);
    if (refused) {
        link_.succeeded();
        tokens_.forget();
        auto said = co_await verdict_of_hub(identity, error);
        co_return said;
    }
    if (server.accepted() && error.code == base::Code::unavailable) {
        link_.succeeded();
        co_return NotNow{std::move(error)};
    }
    link_.failed(error);
    co_return NotReached{};
}

net::Task<Opened> Upstream::verdict_of_hub(trust::Identity identity, base::Error why) {
    auto start = [this, identity](auto done) { sync_.lookup(identity, true, done); };
    const auto outcome = co_await net::await_callback<Lookup>(std::move(start));
    if (outcome == Lookup::not_in_scope)
        co_return NotWanted{"the hub says that it is not in our scope any more"};
    const auto record = scope_.get()->find(identity);
    if (outcome == Lookup::in_scope && record && is_disabled(*record)) {
        co_return NotWanted{"the hub says that it is disabled"};
    }
    co_return NotNow{std::move(why)};
}

}  // namespace gateway
