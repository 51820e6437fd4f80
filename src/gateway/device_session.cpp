// SPDX-License-Identifier: Apache-2.0
#include "gateway/device_session.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "azure/filter.hpp"
#include "azure/message.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "gateway/upstream.hpp"
#include "net/completion.hpp"
#include "trust/checks.hpp"
#include "trust/sas_token.hpp"

namespace gateway {

namespace {

/// A record that the hub confirmed this recently is not asked for again because a credential does not match
/// it.
constexpr std::chrono::seconds fresh_enough{60};

class DeviceSession final : public mqtt::ConnectionHandler,
                            public LiveSession,
                            public std::enable_shared_from_this<DeviceSession> {
  public:
    DeviceSession(std::shared_ptr<mqtt::Connection> connection, SessionWorld& world)
        : connection_(std::move(connection)), world_(world) {}

    net::Task<mqtt::Answer> authenticate(mqtt::Connect connect) override;
    void started() override;
    void deliver(mqtt::Publish message) override;
    mqtt::Grants subscribe(const mqtt::Subscribe& request) override;
    void end(base::Error why) override { connection_->close(std::move(why)); }
    void judge_again() override;

    void finish(const mqtt::Ended& ended);

  private:
    const trust::Identity& identity() const { return credential_.claim.identity; }
    net::Task<Lookup> ask_hub() const;
    mqtt::Answer refuse(mqtt::ConnackCode code, const base::Error& why, const std::string& steps);
    std::optional<base::Error> check_will(const std::optional<mqtt::Will>& will) const;
    base::Result<azure::Event> event_of(mqtt::Publish message) const;
    void set_end(const trust::Decision& decision);
    trust::Decision decide(const ScopeCache& cache, std::optional<std::chrono::seconds> crl_max_age);

    std::shared_ptr<mqtt::Connection> connection_;
    SessionWorld& world_;
    Credential credential_;
    std::shared_ptr<const ScopeCache> judged_by_;
    std::shared_ptr<const pki::CrlSet> crls_;  ///< of the last judgement
    bool entered_ = false;
    bool refused_ = false;
};

net::Task<Lookup> DeviceSession::ask_hub() const {
    auto start = [&world = world_, identity = identity()](auto done) {
        world.sync_loop.post([&world, identity, done] { world.sync.lookup(identity, false, done); });
    };
    const auto outcome = co_await net::await_callback<Lookup>(std::move(start));
    co_return outcome;
}

mqtt::Answer DeviceSession::refuse(mqtt::ConnackCode code, const base::Error& why, const std::string& steps) {
    refused_ = true;
    const auto cache = world_.scope.get();
    base::log::warning(base::events::session_refused, {{"device", identity().device},
                                                       {"module", identity().module},
                                                       {"peer", connection_->peer().address},
                                                       {"reason", why.text()},
                                                       {"records", age_text(*cache, world_.clock.now())},
                                                       {"steps", steps}});
    return mqtt::Refuse{code, why};
}

std::optional<base::Error> DeviceSession::check_will(const std::optional<mqtt::Will>& will) const {
    if (!will) return std::nullopt;
    const auto topic = azure::parse_topic(will->topic);
    if (topic.kind == azure::TopicKind::telemetry && topic.identity == identity() &&
        will->qos != mqtt::Qos::exactly_once) {
        return std::nullopt;
    }
    return base::Error{base::Code::invalid_argument, "will of " + identity().text(),
                       "is for the topic " + will->topic,
                       "a will goes to the client's own telemetry topic, QoS 0 or 1"};
}

net::Task<mqtt::Answer> DeviceSession::authenticate(mqtt::Connect connect) {
    auto claim = azure::parse_username(connect.user_name.value_or(""));
    if (!claim) {
        co_return refuse(mqtt::ConnackCode::bad_user_name_or_password, claim.error(), "");
    }
    credential_.claim = std::move(*claim);
    if (connect.client_id.empty()) {
        const base::Error empty{base::Code::unauthenticated, "client id", "is empty", ""};
        co_return refuse(mqtt::ConnackCode::identifier_rejected, empty, "");
    }
    credential_.client_id = connect.client_id;
    if (connect.password) credential_.token = base::SecretBytes(std::string_view(*connect.password));
    credential_.certificates = &connection_->peer().certificates;
    if (auto wrong = check_will(connect.will)) co_return mqtt::Drop{std::move(*wrong)};

    auto cache = world_.scope.get();
    auto decision = decide(*cache, world_.crls.max_age());
    const bool known = cache->find(identity()) != nullptr;
    const bool stale = !cache->confirmed() || world_.clock.now() - *cache->confirmed() > fresh_enough;
    if (!decision.verdict.accepted() && (!known || stale)) {
        const auto outcome = co_await ask_hub();
        if (outcome == Lookup::rate_limited) {
            const base::Error busy{base::Code::rate_limited, "gateway",
                                   "is asked about too many unknown devices", ""};
            co_return refuse(mqtt::ConnackCode::server_unavailable, busy, pki::to_text(decision.verdict));
        }
        if (outcome == Lookup::in_scope) {
            cache = world_.scope.get();
            decision = decide(*cache, world_.crls.max_age());
        }
    }
    if (!decision.verdict.accepted()) {
        const base::Error why{base::Code::unauthenticated, identity().text(), pki::summary(decision.verdict),
                              std::string(pki::advice(decision.verdict.first_failure()->check))};
        const bool mismatch = decision.verdict.first_failure()->check == trust::checks::identity_client_id;
        co_return refuse(
            mismatch ? mqtt::ConnackCode::identifier_rejected : mqtt::ConnackCode::not_authorized, why,
            pki::to_text(decision.verdict));
    }
    judged_by_ = cache;
    set_end(decision);
    base::log::info(base::events::session_started, {{"device", identity().device},
                                                    {"module", identity().module},
                                                    {"peer", connection_->peer().address},
                                                    {"method", decision.method},
                                                    {"records", age_text(*cache, world_.clock.now())},
                                                    {"steps", pki::to_text(decision.verdict)}});
    co_return mqtt::Accept{};
}

/// crl_max_age: none for a session that was let in, which an old CRL does not end.
trust::Decision DeviceSession::decide(const ScopeCache& cache,
                                      std::optional<std::chrono::seconds> crl_max_age) {
    crls_ = world_.crls.current();
    return judge(credential_, cache, world_.hosts, world_.clock.now(), {crls_.get(), crl_max_age});
}

void DeviceSession::set_end(const trust::Decision& decision) {
    if (!decision.valid_until) return;
    auto when = *decision.valid_until;
    // A token that was let in within the allowance for clocks lives as long as the allowance.
    if (when <= world_.clock.now()) when += trust::token_skew;
    connection_->end_at(
        when, {base::Code::unauthenticated, identity().text(),
               "connected with a credential that ended at " + base::format_rfc3339(*decision.valid_until),
               "connect again with a new one"});
}

void DeviceSession::started() {
    entered_ = true;
    world_.sessions.enter(identity(), connection_->loop(), shared_from_this());
    // What changed between the judgement and the entry was announced to nobody here.
    if (world_.scope.get() != judged_by_ || world_.crls.current() != crls_) judge_again();
}

void DeviceSession::judge_again() {
    if (!connection_->is_open()) return;
    judged_by_ = world_.scope.get();
    const auto decision = decide(*judged_by_, {});
    if (decision.verdict.accepted()) return set_end(decision);
    connection_->close({base::Code::unauthenticated, identity().text(),
                        "is not accepted any more: " + pki::summary(decision.verdict),
                        std::string(pki::advice(decision.verdict.first_failure()->check))});
}

base::Result<azure::Event> DeviceSession::event_of(mqtt::Publish message) const {
    const auto topic = azure::parse_topic(message.topic);
    if (topic.kind != azure::TopicKind::telemetry) {
        return base::fail(base::Code::invalid_argument, "topic " + message.topic,
                          "is not one that a device may publish to",
                          "publish to devices/{id}/messages/events/");
    }
    if (topic.identity != identity()) {
        return base::fail(base::Code::permission_denied, "topic " + message.topic,
                          "belongs to another identity than " + identity().text());
    }
    azure::Event event;
    event.origin = identity();
    if (auto read = azure::read_property_bag(topic.bag, event.message); !read) {
        return std::unexpected(std::move(read).error());
    }
    if (message.retain) event.message.application.emplace_back("mqtt-retain", "true");
    if (message.duplicate) event.message.application.emplace_back("mqtt-dup", "true");
    event.message.body = std::move(message.payload);
    // What is acknowledged here must be a message that the hub takes, or it would block all that follow.
    if (!fits_upstream(identity(), event.message)) {
        return base::fail(base::Code::too_large, "message of " + identity().text(),
                          "is larger than 256 KiB with its properties");
    }
    return event;
}

void DeviceSession::deliver(mqtt::Publish message) {
    const auto id = message.packet_id;
    const bool acknowledge = message.qos == mqtt::Qos::at_least_once;
    auto event = event_of(std::move(message));
    if (!event) return connection_->close(std::move(event).error());
    if (!acknowledge)
        return world_.log.append(azure::encode_event(*event), [](const base::Result<std::uint64_t>&) {});
    // Weak, so that the log's thread never holds the last reference to a connection of this loop.
    const std::weak_ptr<DeviceSession> weak = weak_from_this();
    auto& loop = connection_->loop();
    world_.log.append(azure::encode_event(*event), [weak, &loop, id](base::Result<std::uint64_t> kept) {
        loop.post([weak, id, kept = std::move(kept)] {
            const auto self = weak.lock();
            if (!self) return;
            if (kept)
                self->connection_->stored(id);
            else
                self->connection_->close(kept.error());
        });
    });
}

mqtt::Grants DeviceSession::subscribe(const mqtt::Subscribe& request) {
    mqtt::Grants grants;
    for (const auto& wanted : request.subscriptions) {
        if (azure::may_subscribe(identity(), wanted.filter)) {
            grants.codes.push_back(std::min<std::uint8_t>(static_cast<std::uint8_t>(wanted.qos), 1));
            continue;
        }
        grants.codes.push_back(0x80);
        grants.close = base::Error{base::Code::permission_denied, "filter " + wanted.filter,
                                   "may not be subscribed to by " + identity().text(), ""};
    }
    return grants;
}

void DeviceSession::finish(const mqtt::Ended& ended) {
    if (entered_) world_.sessions.leave(identity(), this);
    if (!ended.started) {
        // A refusal was logged with its steps; who comes and goes without a word is no news.
        const bool quiet = refused_ || ended.why.code == base::Code::closed;
        base::log::write(quiet ? base::log::Level::debug : base::log::Level::warning,
                         base::events::connection_refused, ended.why,
                         {{"peer", connection_->peer().address}});
        return;
    }
    if (ended.will && !ended.orderly) {
        mqtt::Publish last;
        last.topic = ended.will->topic;
        last.payload = ended.will->payload;
        last.retain = ended.will->retain;
        if (auto event = event_of(std::move(last))) {
            event->message.application.emplace_back("iothub-MessageType", "Will");
            world_.log.append(azure::encode_event(*event), [](const base::Result<std::uint64_t>&) {});
        }
    }
    const auto event = ended.why.code == base::Code::already_exists ? base::events::session_displaced
                                                                    : base::events::session_ended;
    if (ended.why.code == base::Code::disk_full)  // somebody must act
        return base::log::error(event, ended.why,
                                {{"device", identity().device}, {"module", identity().module}});
    base::log::info(
        event, {{"device", identity().device}, {"module", identity().module}, {"reason", ended.why.text()}});
}

}  // namespace

net::Task<> serve_device(net::Stream stream, SessionWorld& world) {
    const auto connection = mqtt::Connection::make(std::move(stream), world.clock);
    const auto session = std::make_shared<DeviceSession>(connection, world);
    const auto ended = co_await connection->run(*session);
    session->finish(ended);
}

}  // namespace gateway
