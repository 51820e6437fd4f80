// SPDX-License-Identifier: Apache-2.0
#include "hub/mqtt_session.hpp"

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/refused_session.hpp"
#include "hub/session_methods.hpp"
#include "hub/session_twin.hpp"
#include "trust/sas_token.hpp"

namespace hub {

namespace events = base::events;

namespace {

constexpr std::uint8_t not_granted = 0x80;

base::Error distrust(const trust::Identity& identity, const pki::Verdict& verdict) {
    return {base::Code::unauthenticated, "identity " + identity.text(), pki::summary(verdict), {}};
}

}  // namespace

net::Task<> MqttSession::serve(const Services& services, net::Stream stream,
                               std::unique_ptr<net::Framing> framing, base::Bytes early) {
    const std::shared_ptr<MqttSession> self(new MqttSession(services));
    mqtt::Connection::Options options;
    options.window = services.config.flow.unstored_messages;
    self->connection_ = mqtt::Connection::make(std::move(stream), services.clock, options, std::move(framing),
                                               std::move(early));
    const auto ended = co_await self->connection_->run(*self);
    self->finished(ended);
}

net::Task<mqtt::Answer> MqttSession::authenticate(mqtt::Connect connect) {
    // Nothing here waits: between entering the index and the verdict no change can be missed.
    co_return decide(std::move(connect));
}

mqtt::Answer MqttSession::decide(mqtt::Connect connect) {
    const auto& address = connection_->peer().address;
    const auto refuse = [&](mqtt::ConnackCode code, base::Error why,
                            const trust::Identity& who) -> mqtt::Answer {
        tell_refused(services_, {.identity = who, .address = address, .code = code, .why = why});
        return mqtt::Refuse{code, std::move(why)};
    };
    if (services_.stopping) {
        return refuse(mqtt::ConnackCode::server_unavailable,
                      {base::Code::unavailable, "hub", "is shutting down", {}}, {connect.client_id, {}});
    }
    if (services_.throttle.take(Operation::connects, std::chrono::steady_clock::now())) {
        // 3 is what clients take as "come back later"; 5 would stop some for good.
        return refuse(mqtt::ConnackCode::server_unavailable,
                      {base::Code::rate_limited, "connects", "come faster than [throttle] allows", {}},
                      {connect.client_id, {}});
    }
    auto credential = read_credential(connect, services_.config);
    if (!credential)
        return refuse(credential.error().code, std::move(credential.error().why), {connect.client_id, {}});
    credential_ = *std::move(credential);
    const auto& identity = credential_.claim.identity;
    if (connect.will) {
        if (auto fine = check_will(*connect.will); !fine) {
            tell_refused(services_,
                         {.identity = identity, .address = address, .code = {}, .why = fine.error()});
            return mqtt::Drop{std::move(fine).error()};
        }
    }
    place_.emplace(
        services_.sessions.enter(weak_from_this(), connection_->loop(), identity, credential_.devices()));

    const auto now = services_.clock.now();
    auto judgement = judge(credential_, connection_->peer().certificates, services_, now);
    if (!judgement) {
        place_.reset();
        return refuse(mqtt::ConnackCode::server_unavailable, std::move(judgement).error(), identity);
    }
    const auto& verdict = judgement->decision.verdict;
    if (!verdict.accepted()) {
        place_.reset();
        const auto code = connack_code(verdict, credential_.token.text());
        tell_refused(services_, {.identity = identity,
                                 .address = address,
                                 .auth_chain = credential_.claim.auth_chain,
                                 .code = code,
                                 .why = distrust(identity, verdict),
                                 .verdict = &verdict});
        return mqtt::Refuse{code, distrust(identity, verdict)};
    }
    generation_ = std::move(judgement->generation);
    method_ = std::move(judgement->decision.method);
    steps_ = pki::to_text(verdict);
    if (auto until = judgement->decision.valid_until) {
        // A token may be five minutes late where clocks differ; it must not end the session that it just
        // opened.
        if (*until <= now) *until += trust::token_skew;
        connection_->end_at(*until, {base::Code::unauthenticated, "credential of " + identity.text(),
                                     "has expired at " + base::format_rfc3339(*until),
                                     "connect with a new token or certificate"});
    }
    return mqtt::Accept{resume(connect.clean_session)};
}

/// What is left of an earlier session; whether anything is.
bool MqttSession::resume(bool clean) {
    persistent_ = !clean;
    if (!identity().is_module()) messages_.emplace(*this, services_.queue, generation_);
    if (clean) {
        services_.kept.forget(identity());
        return false;
    }
    auto kept = services_.kept.find(identity(), generation_);
    if (!kept) base::log::error(events::store_failed, kept.error(), {{"device", identity().device}});
    if (!kept || !*kept) return false;
    subscriptions_ = **std::move(kept);
    return true;
}

void MqttSession::started() {
    const auto& address = connection_->peer().address;
    since_ = services_.clock.now();
    services_.sessions.hold(*place_, address, since_);
    note_model(*this);
    base::log::info(events::session_started, {{"device", credential_.claim.identity.device},
                                              {"module", credential_.claim.identity.module},
                                              {"address", address},
                                              {"auth_chain", credential_.claim.auth_chain},
                                              {"client", credential_.claim.client_type},
                                              {"tls", connection_->peer().tls_version},
                                              {"steps", std::exchange(steps_, {})}});
    // It may have entered after everybody was told.
    if (services_.stopping) shut_down();
    messages_waiting();
}

Sender MqttSession::sender() const {
    return {credential_.claim.identity, generation_, method_};
}

base::Result<azure::Message> MqttSession::read_message(const mqtt::Publish& publish,
                                                       const azure::Topic& topic) const {
    if (topic.kind != azure::TopicKind::telemetry || topic.identity != credential_.claim.identity) {
        return base::fail(base::Code::permission_denied, "topic " + publish.topic,
                          "is not the telemetry topic of " + credential_.claim.identity.text());
    }
    azure::Message message;
    if (auto fine = azure::read_property_bag(topic.bag, message); !fine)
        return std::unexpected(std::move(fine).error());
    if (publish.retain) message.application.emplace_back("mqtt-retain", "true");
    if (publish.duplicate) message.application.emplace_back("mqtt-dup", "true");
    message.body = publish.payload;
    if (const auto size = azure::message_size(message); size > azure::largest_message) {
        return base::fail(base::Code::too_large, "message",
                          "has " + std::to_string(size) + " octets of body and properties",
                          "send at most " + std::to_string(azure::largest_message));
    }
    return message;
}

base::Status MqttSession::check_will(const mqtt::Will& will) const {
    if (will.qos == mqtt::Qos::exactly_once) {
        return base::fail(base::Code::unsupported, "will", "asks for QoS 2", "use QoS 0 or 1");
    }
    mqtt::Publish publish;
    publish.topic = will.topic;
    publish.payload = will.payload;
    if (auto message = read_message(publish, azure::parse_topic(publish.topic)); !message)
        return std::unexpected(std::move(message).error());
    return {};
}

void MqttSession::deliver(mqtt::Publish publish) {
    const auto topic = azure::parse_topic(publish.topic);
    switch (topic.kind) {
        case azure::TopicKind::twin_get:
            answer_twin_get(*this, topic, publish.packet_id);
            break;
        case azure::TopicKind::twin_reported:
            take_reported(*this, topic, publish);
            break;
        case azure::TopicKind::method_answer:
            acknowledge(publish.packet_id);
            take_method_answer(services_, identity(), topic, std::move(publish.payload));
            break;
        case azure::TopicKind::telemetry:
        case azure::TopicKind::unknown:
            take_telemetry(std::move(publish), topic);
            break;
    }
}

std::optional<std::uint16_t> MqttSession::send(std::string topic, base::Bytes payload, mqtt::Qos qos) {
    mqtt::Publish message;
    message.topic = std::move(topic);
    message.payload = std::move(payload);
    message.qos = qos;
    return connection_->send(std::move(message));
}

bool MqttSession::begin_write() {
    if (unstored_ >= services_.config.flow.unstored_messages) return false;
    ++unstored_;
    return true;
}

void MqttSession::end_write(std::uint16_t packet_id) {
    --unstored_;
    acknowledge(packet_id);
}

void MqttSession::acknowledge(std::uint16_t packet_id) {
    if (packet_id != 0) connection_->stored(packet_id);
}

std::optional<std::uint16_t> MqttSession::send(mqtt::Publish message, std::uint16_t wanted) {
    return connection_->send(std::move(message), wanted);
}

void MqttSession::take_telemetry(mqtt::Publish publish, const azure::Topic& topic) {
    auto message = read_message(publish, topic);
    if (!message) {
        base::log::warning(events::message_refused, {{"device", credential_.claim.identity.device},
                                                     {"module", credential_.claim.identity.module},
                                                     {"reason", message.error().text()}});
        close(std::move(message).error());
        return;
    }
    if (publish.qos == mqtt::Qos::at_most_once && unstored_ >= services_.config.flow.unstored_messages) {
        // QoS 0 waits for nothing: what the disk cannot take now is lost, as its sender chose.
        base::log::debug(events::message_refused, {{"device", credential_.claim.identity.device},
                                                   {"module", credential_.claim.identity.module},
                                                   {"reason", "the store is behind"}});
        return;
    }
    const auto delay = services_.throttle.delay(Operation::telemetry, std::chrono::steady_clock::now());
    if (!delay) {
        // Not acknowledged: its sender connects again and brings it again.
        close({base::Code::rate_limited, "telemetry", "comes faster than [throttle] allows", {}});
        return;
    }
    if (*delay > std::chrono::milliseconds(0)) connection_->pause(*delay);
    ++unstored_;
    const auto event = make_event(sender(), *std::move(message), services_.clock.now_ms());
    services_.telemetry.append(event, [weak = weak_from_this(), loop = &connection_->loop(),
                                       id = publish.packet_id](const base::Result<std::uint64_t>& stored) {
        loop->post([weak, id, failed = stored ? std::nullopt : std::optional(stored.error())] {
            const auto self = weak.lock();
            if (!self) return;
            if (!failed) {
                self->end_write(id);
                return;
            }
            --self->unstored_;
            self->close(*failed);
        });
    });
}

mqtt::Grants MqttSession::subscribe(const mqtt::Subscribe& request) {
    mqtt::Grants grants;
    bool to_methods = false;
    const auto before = subscriptions_;
    for (const auto& [filter, qos] : request.subscriptions) {
        if (subscriptions_.add(identity(), filter, qos)) {
            to_methods = to_methods || filter.starts_with("$iothub/methods/");
            grants.codes.push_back(std::min<std::uint8_t>(static_cast<std::uint8_t>(qos), 1));
            continue;
        }
        grants.codes.push_back(not_granted);
        if (!grants.close) {
            grants.close =
                base::Error{base::Code::permission_denied,
                            "filter " + filter,
                            "is not one that " + credential_.claim.identity.text() + " may subscribe to",
                            {}};
        }
    }
    if (to_methods) announce_method_subscription(services_, identity());
    keep_subscriptions(before);
    return grants;
}

void MqttSession::unsubscribe(const mqtt::Unsubscribe& request) {
    const auto before = subscriptions_;
    for (const auto& filter : request.filters) subscriptions_.remove(identity(), filter);
    keep_subscriptions(before);
}

void MqttSession::keep_subscriptions(const Subscriptions& before) {
    // SDKs subscribe anew at each connect, mostly to what they had.
    if (persistent_ && subscriptions_ != before) services_.kept.keep(identity(), generation_, subscriptions_);
    // Behind the SUBACK, which the caller is about to write.
    if (subscriptions_.to(Feed::devicebound) && !before.to(Feed::devicebound))
        connection_->loop().post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->messages_waiting();
        });
}

void MqttSession::acknowledged(std::uint16_t packet_id) {
    if (messages_) messages_->acknowledged(packet_id);
}

void MqttSession::messages_waiting() {
    if (messages_) messages_->look();
}

void MqttSession::judge_again() {
    if (!place_ || !connection_->is_open()) return;
    auto judgement = judge(credential_, connection_->peer().certificates, services_, services_.clock.now(),
                           Occasion::session);
    if (!judgement) {
        close(std::move(judgement).error());
        return;
    }
    const auto& identity = credential_.claim.identity;
    if (!judgement->decision.verdict.accepted()) {
        distrusted_ = true;
        close(distrust(identity, judgement->decision.verdict));
    } else if (judgement->generation != generation_) {
        distrusted_ = true;
        close({base::Code::unauthenticated, "identity " + identity.text(), "was deleted and made anew", {}});
    }
}

void MqttSession::displaced(std::string by_address) {
    if (!connection_->is_open()) return;
    base::log::info(events::session_displaced,
                    {{"device", credential_.claim.identity.device},
                     {"module", credential_.claim.identity.module},
                     {"address", connection_->peer().address},
                     {"by", by_address},
                     {"error", "400027 ConnectionForcefullyClosedOnNewConnection"}});
    close({base::Code::closed, "connection", "was displaced by a new one from " + by_address, {}});
}

void MqttSession::desired_changed(std::int64_t version, const std::string& body) {
    notify_desired(*this, version, body);
}

void MqttSession::shut_down() {
    close({base::Code::closed, "connection", "was closed, the hub ends", {}});
}

void MqttSession::close(base::Error why) {
    connection_->close(std::move(why));
}

void MqttSession::finished(const mqtt::Ended& ended) {
    if (messages_) messages_->end();
    place_.reset();
    if (!ended.started) {
        base::log::info(events::connection_ended,
                        {{"address", connection_->peer().address}, {"reason", ended.why.text()}});
        return;
    }
    if (ended.will && !ended.orderly && !distrusted_) publish_will(*ended.will);
    base::log::info(events::session_ended,
                    {{"device", credential_.claim.identity.device},
                     {"module", credential_.claim.identity.module},
                     {"address", connection_->peer().address},
                     {"reason", ended.why.text()},
                     {"after", base::format_duration(services_.clock.now() - since_)}});
}

void MqttSession::publish_will(const mqtt::Will& will) {
    mqtt::Publish publish;
    publish.topic = will.topic;
    publish.payload = will.payload;
    publish.retain = will.retain;
    auto message = read_message(publish, azure::parse_topic(publish.topic));
    if (!message) return;
    message->application.emplace_back("iothub-MessageType", "Will");
    services_.telemetry.append(
        make_event(sender(), *std::move(message), services_.clock.now_ms()),
        [identity = credential_.claim.identity](const base::Result<std::uint64_t>& stored) {
            if (stored) return;
            base::log::error(events::store_failed, stored.error(),
                             {{"device", identity.device}, {"module", identity.module}});
        });
}

}  // namespace hub
