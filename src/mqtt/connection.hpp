// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "mqtt/session.hpp"
#include "net/clock_watch.hpp"
#include "net/framing.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"

namespace mqtt {

/// The decision about a CONNECT.
struct Accept {
    bool session_present = false;
};
/// CONNACK with the code, then the connection is closed.
struct Refuse {
    ConnackCode code;
    base::Error why;
};
/// The connection is closed without CONNACK (hub.md 2.9: a will that may not be).
struct Drop {
    base::Error why;
};
using Answer = std::variant<Accept, Refuse, Drop>;

/// The decision about a SUBSCRIBE: one code a filter; with `close`, SUBACK is sent first and the connection
/// is then closed (hub.md 3.6).
struct Grants {
    std::vector<std::uint8_t> codes;
    std::optional<base::Error> close;
};

/// What a role does with the packets of one connection. Called on the connection's loop, by Connection::run
/// alone.
class ConnectionHandler {
  public:
    virtual ~ConnectionHandler() = default;
    /// Decides on the CONNECT. While it waits nothing more is read from the peer.
    virtual net::Task<Answer> authenticate(Connect connect) = 0;
    /// CONNACK 0 is on its way; the moment to displace an older connection (hub.md 2.8).
    virtual void started() {}
    /// A message of the peer. For QoS 1 the handler calls `Connection::stored` once it is durable, or
    /// `close`.
    virtual void deliver(Publish message) = 0;
    virtual Grants subscribe(const Subscribe& request) = 0;
    virtual void unsubscribe(const Unsubscribe&) {}
    /// The peer has acknowledged what `Connection::send` gave this packet id.
    virtual void acknowledged(std::uint16_t) {}
};

/// How a connection ended.
struct Ended {
    base::Error why;           ///< Code::closed where nothing was wrong
    bool orderly = false;      ///< the peer said DISCONNECT: no will
    bool started = false;      ///< CONNACK 0 had been sent
    std::optional<Will> will;  ///< to be published where the end was not orderly
};

/// The server's end of one MQTT connection: owns stream and session, reads, writes, keeps the deadlines, and
/// asks a handler. Hub and gateway share it. On its own loop; while idle it holds no read or write buffer.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    struct Options {
        /// Unacknowledged QoS 1 messages of the peer at which reading stops until some are stored.
        std::size_t window = 128;
        /// Unwritten bytes at which a peer that does not read is closed.
        std::size_t output = 2 * limits::packet;
        std::chrono::milliseconds write_limit{30'000};
    };
    /// framing: how MQTT lies in the stream; none: bare. early: what was read from it already.
    static std::shared_ptr<Connection> make(net::Stream stream, const base::Clock& clock, Options options,
                                            std::unique_ptr<net::Framing> framing = {},
                                            base::Bytes early = {});
    static std::shared_ptr<Connection> make(net::Stream stream, const base::Clock& clock) {
        return make(std::move(stream), clock, Options{});
    }

    /// Serves until the connection has ended; what was to be written is then written or given up. Once.
    /// handler: outlives the returned task.
    net::Task<Ended> run(ConnectionHandler& handler);

    /// PUBACK for a message that is durable now. No-op once the connection is closing.
    void stored(std::uint16_t packet_id);
    /// Sends a message; its packet id (0 for QoS 0). nullopt: closing, or no id is free. wanted: as
    /// Session::send has it.
    std::optional<std::uint16_t> send(Publish message, std::uint16_t wanted = 0);
    /// Ends the connection now; `run` returns with `why`. Without effect once it is closing.
    void close(base::Error why);
    /// Ends the connection at this moment of the clock with `why`, also where the clock is set to it: what
    /// was presented has expired then. On its loop.
    void end_at(base::Instant when, base::Error why);

    const net::Peer& peer() const { return stream_.peer(); }
    const Session& session() const { return session_; }
    /// Reads nothing from the peer for so long: it sends faster than it may. The keep-alive does not run
    /// out meanwhile.
    void pause(std::chrono::milliseconds how_long);
    /// The loop that it lives on: post there from other threads.
    net::Loop& loop() const { return loop_; }
    bool is_open() const { return !end_ && stream_.is_open(); }

  private:
    Connection(net::Stream stream, const base::Clock& clock, Options options,
               std::unique_ptr<net::Framing> framing, base::Bytes early);
    net::Task<> serve(ConnectionHandler& handler);
    std::chrono::milliseconds patience() const;
    net::Task<base::Status> await_input();
    net::Task<base::Status> take_input(base::Status ready);
    base::Status unwrap(std::size_t from);
    net::Task<> handle(std::vector<Action> actions, ConnectionHandler& handler);
    net::Task<> decide(Connect connect, ConnectionHandler& handler);
    net::Task<> wait_for_window();
    net::Task<> wait_for_pause();
    bool paused() const;
    static net::Task<> write_out(std::shared_ptr<Connection> self);
    void transmit(std::vector<Action> actions);
    void enqueue(const Packet& packet);
    void flush();
    void finish(base::Error why);
    base::Instant silent_after() const;
    bool has_expired() const { return expires_ && clock_.now() >= *expires_; }

    net::Loop& loop_;
    net::Stream stream_;
    std::unique_ptr<net::Framing> framing_;
    const base::Clock& clock_;
    Options options_;
    Session session_;
    base::Instant opened_;  ///< of the steady clock, as all that keep-alive counts
    std::optional<base::Instant> expires_;
    base::Error expired_;
    std::optional<net::ClockWatch> clock_watch_;  ///< where there is something to expire
    base::Bytes in_;                              ///< an incomplete packet; empty while idle
    base::Bytes out_;                             ///< not yet handed to the writer
    bool writing_ = false;
    std::size_t pending_ = 0;  ///< QoS 1 messages of the peer that are not stored
    std::chrono::steady_clock::time_point paused_until_{};
    std::optional<base::Error> end_;
    bool orderly_ = false;
    bool started_ = false;
    bool told_ = false;  ///< the peer was told why, and must be able to read it
    net::Event resumed_;
    net::Event drained_;
};

}  // namespace mqtt
