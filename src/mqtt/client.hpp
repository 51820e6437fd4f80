// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "mqtt/packet.hpp"
#include "net/connect.hpp"

namespace mqtt {

/// A client of MQTT 3.1.1 over TLS. On its own loop; its tasks end when it is destroyed or the connection
/// does, and every call that still waits then fails with the reason. Keep-alive pings are sent at half the
/// interval.
class Client {
  public:
    struct Options {
        net::TlsTarget target;
        std::shared_ptr<const net::ClientTls> tls;
        Connect connect;
        std::chrono::milliseconds limit{20'000};  ///< for connecting, and for each acknowledgement
        /// As `on_message`, from the first packet on: a session that was present sends at once.
        std::function<void(const Publish&)> on_message = {};
    };
    /// Connects and waits for CONNACK. A refusal is `unauthenticated` (codes 4, 5), `unavailable` (3) or
    /// `invalid_argument` (1, 2), with the code in the reason. verdict: all steps about the server.
    static net::Task<base::Result<std::unique_ptr<Client>>> connect(Options options, const base::Clock& clock,
                                                                    pki::Verdict* verdict = nullptr);
    ~Client();

    /// QoS 0: written to the socket. QoS 1: acknowledged by the peer. Several may be in flight at once; they
    /// are sent in the order of the calls (the order in which the tasks are first awaited). Where no
    /// acknowledgement comes within the limit the connection is ended, since MQTT 3.1.1 repeats nothing on
    /// it: `timeout`.
    net::Task<base::Status> publish(std::string topic, base::Bytes payload, Qos qos);
    /// Fails with `permission_denied` and the filter where one is refused.
    net::Task<base::Status> subscribe(std::vector<Subscription> subscriptions);
    /// Called for every message that arrives; QoS 1 is acknowledged after it returns. It may drop this
    /// client. Up to 256 messages wait for the first handler.
    void on_message(std::function<void(const Publish&)> handler);
    /// Returns when the connection has ended, with the reason (`closed` for an orderly end by the peer).
    net::Task<base::Error> ended();
    bool is_open() const;
    bool session_present() const;
    /// Sends DISCONNECT and closes.
    net::Task<> disconnect();

    struct Impl;
    explicit Client(std::shared_ptr<Impl> impl);

  private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace mqtt
