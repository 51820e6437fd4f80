// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hub/judge.hpp"
#include "hub/services.hpp"
#include "hub/session_messages.hpp"
#include "hub/subscriptions.hpp"
#include "mqtt/connection.hpp"

namespace hub {

/// One MQTT connection of a device, a module, or a gateway on behalf of one. On its own loop.
class MqttSession final : public Member,
                          public mqtt::ConnectionHandler,
                          public std::enable_shared_from_this<MqttSession> {
  public:
    /// Serves the connection to its end. services: outlives the task. framing, early: mqtt::Connection::make.
    static net::Task<> serve(const Services& services, net::Stream stream,
                             std::unique_ptr<net::Framing> framing = {}, base::Bytes early = {});

    net::Task<mqtt::Answer> authenticate(mqtt::Connect connect) override;
    void started() override;
    void deliver(mqtt::Publish message) override;
    mqtt::Grants subscribe(const mqtt::Subscribe& request) override;
    void unsubscribe(const mqtt::Unsubscribe& request) override;
    void acknowledged(std::uint16_t packet_id) override;

    void judge_again() override;
    void displaced(std::string by_address) override;
    void desired_changed(std::int64_t version, const std::string& body) override;
    void messages_waiting() override;
    void shut_down() override;

    const trust::Identity& identity() const { return credential_.claim.identity; }
    const Subscriptions& subscriptions() const { return subscriptions_; }
    net::Loop& loop() const { return connection_->loop(); }
    bool is_open() const { return connection_->is_open(); }
    /// Sends to the device; its packet id (0 for QoS 0). nullopt: the connection is closing, or no id is
    /// free.
    std::optional<std::uint16_t> send(std::string topic, base::Bytes payload, mqtt::Qos qos);
    /// wanted: the packet id to take where it is free.
    std::optional<std::uint16_t> send(mqtt::Publish message, std::uint16_t wanted);
    /// Of a device that is let in; nullptr otherwise.
    SessionMessages* messages() { return messages_ ? &*messages_ : nullptr; }

    const Services& services() const { return services_; }
    /// Of the identity that it was let in as.
    const std::string& generation() const { return generation_; }
    const azure::Claim& claim() const { return credential_.claim; }
    const std::string& address() const { return connection_->peer().address; }
    /// Counts a write that the peer has asked for; false: too many are under way, which QoS 0 alone can
    /// bring about.
    bool begin_write();
    /// That write is done, or refused in words: PUBACK where the request had a packet id.
    void end_write(std::uint16_t packet_id);
    /// PUBACK of a request that needed no write. 0: it was none of QoS 1.
    void acknowledge(std::uint16_t packet_id);

  private:
    explicit MqttSession(const Services& services) : services_(services) {}
    mqtt::Answer decide(mqtt::Connect connect);
    bool resume(bool clean);
    void keep_subscriptions(const Subscriptions& before);
    base::Status check_will(const mqtt::Will& will) const;
    base::Result<azure::Message> read_message(const mqtt::Publish& publish, const azure::Topic& topic) const;
    void take_telemetry(mqtt::Publish publish, const azure::Topic& topic);
    Sender sender() const;
    void close(base::Error why);
    void finished(const mqtt::Ended& ended);
    void publish_will(const mqtt::Will& will);

    const Services& services_;
    std::shared_ptr<mqtt::Connection> connection_;
    Credential credential_;
    std::optional<Sessions::Place> place_;
    Subscriptions subscriptions_;
    bool persistent_ = false;  ///< no clean session: subscriptions outlive the connection
    std::optional<SessionMessages> messages_;
    std::string generation_;
    std::string method_;
    std::string steps_;         ///< of the verdict that let it in, until it is logged
    std::size_t unstored_ = 0;  ///< messages handed to the store and not yet answered
    bool distrusted_ = false;   ///< ended by a verdict: its will counts no more
    base::Instant since_{};
};

}  // namespace hub
