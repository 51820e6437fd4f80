// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "mqtt/limits.hpp"
#include "mqtt/packet.hpp"

namespace mqtt {

/// What the owner of a Session does next, in this order.
struct Send {
    Packet packet;
};
/// Decide on this CONNECT, then call `accept` or `refuse`; no other packet is handled before.
struct Authenticate {
    Connect connect;
};
/// A message of the client. QoS 1 is acknowledged by `stored(packet_id)`, not before.
struct Deliver {
    Publish message;
};
/// Decide on each filter, then call `granted`. QoS 2 already stands as 1, the highest that is granted.
struct Grant {
    Subscribe request;
};
struct Revoke {
    Unsubscribe request;  ///< already answered
};
/// The client has acknowledged a message that was sent with this id.
struct Acknowledged {
    std::uint16_t packet_id;
};
/// The client said DISCONNECT: an orderly end, no will.
struct End {};
/// A violation; the reason goes to the log.
struct Close {
    base::Error why;
};
using Action = std::variant<Send, Authenticate, Deliver, Grant, Revoke, Acknowledged, End, Close>;

/// The server's side of MQTT 3.1.1 for one connection: order of packets, packet ids, keep-alive, QoS 2
/// refused. No I/O, no clock. Hub and gateway share it.
class Session {
  public:
    Session() = default;
    /// opened: when the connection came; `silent_after` is then also true of a peer that never sends CONNECT.
    explicit Session(base::Instant opened) : silent_after_(opened + limits::connect_deadline) {}

    enum class State {
        awaiting_connect,  ///< nothing but CONNECT is allowed
        authenticating,    ///< packets that arrive now wait (they are kept, up to a limit)
        running,           ///< CONNACK 0 was sent
        closing            ///< nothing is handled any more
    };

    std::vector<Action> on_packet(Packet packet, base::Instant now);
    /// The verdict was yes: CONNACK 0, then what follows from packets that waited.
    std::vector<Action> accept(bool session_present, base::Instant now);
    /// The verdict was no: CONNACK with the code, then Close.
    std::vector<Action> refuse(ConnackCode code, base::Error why);
    /// The message with this id is durable: PUBACK. Ids answer in the order in which they came
    /// (MQTT-4.6.0-2).
    std::vector<Action> stored(std::uint16_t packet_id);
    /// SUBACK; one code for each filter.
    std::vector<Action> granted(std::uint16_t packet_id, std::vector<std::uint8_t> codes);
    /// Gives `message` a packet id where its QoS needs one and remembers it until acknowledged; nullopt where
    /// all ids are taken. wanted: the id to take where it is free, so that a message that is sent again on a
    /// later connection keeps its own (MQTT-4.4.0-1); 0: any.
    std::optional<Publish> send(Publish message, std::uint16_t wanted = 0);

    State state() const { return state_; }
    /// The moment at which the peer has been silent for too long (1.5 times keep-alive, at most 1,767 s,
    /// hub.md 2.9). Never while we are the ones who authenticate.
    base::Instant silent_after() const { return silent_after_; }
    /// We have not listened for a while: the peer's silence begins now.
    void listen_again(base::Instant now) {
        if (state_ == State::running) silent_after_ = now + patience_;
    }
    /// Of an accepted client; gone once it said DISCONNECT (MQTT-3.1.2-10).
    const std::optional<Will>& will() const { return will_; }
    /// Messages of the client that were delivered and not yet `stored`: stop reading where they are too many.
    std::size_t unstored() const;
    /// Messages to the client that it has not acknowledged.
    std::size_t in_flight() const { return in_flight_out_.size(); }

  private:
    std::vector<Action> on_connect(Connect connect);
    std::vector<Action> on_publish(Publish publish);
    std::vector<Action> on_running(Packet packet);
    std::vector<Action> wait(Packet packet);
    std::vector<Action> close(base::Error why);

    State state_ = State::awaiting_connect;
    std::optional<Will> will_, claimed_will_;
    bool clean_session_ = true;
    std::chrono::seconds patience_{limits::connect_deadline};
    base::Instant silent_after_ = base::Instant::max();
    // Vectors: an empty deque holds half a kilobyte, and most sessions are idle.
    std::vector<Packet> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::vector<std::pair<std::uint16_t, bool>> unacknowledged_in_;  ///< id, stored
    std::vector<std::uint16_t> in_flight_out_;                       ///< sorted
    std::uint16_t next_id_ = 1;
};

}  // namespace mqtt
