// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "http/client.hpp"
#include "hub/server.hpp"
#include "mqtt/client.hpp"
#include "net/loop.hpp"
#include "support/certificates.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace hub_test {

/// Real time plus what a test adds.
using MovableClock = support::SettableClock;

/// Who calls: with a certificate, a header, both or neither.
struct Caller {
    const support::Identity* identity = nullptr;
    std::string authorization{};
};

struct Ask {
    http::Verb verb = http::Verb::get;
    std::string target{};
    std::string body{};
    std::string if_match{};
    std::map<std::string, std::string> headers{};
};

struct MqttWish {
    std::string device{};
    std::string module{};
    const support::Identity* identity = nullptr;
    std::string token{};
    std::string auth_chain{};
    std::optional<std::string> client_id{};
    std::optional<std::string> user_name{};
    std::optional<mqtt::Will> will{};
    bool clean_session = false;
    /// Called from the first packet on.
    std::function<void(const mqtt::Publish&)> on_message{};
};

using Connected = base::Result<std::unique_ptr<mqtt::Client>>;

/// A real hub in this process, on free ports of the loopback, with real TLS.
class TestHub {
  public:
    /// more: further tables of hub.toml; first: further keys that are in no table.
    explicit TestHub(const std::string& more = {}, const std::string& first = {});
    ~TestHub();

    hub::Hub& hub() { return *hub_; }
    /// Ends the hub and opens it again over what it has stored; its ports change.
    void restart();
    MovableClock& clock() { return clock_; }
    const MovableClock& clock() const { return clock_; }
    std::uint16_t https_port() const { return hub_->https_port(); }
    /// Trusts the hub, and presents `identity` where there is one.
    std::shared_ptr<const net::ClientTls> client_tls(const support::Identity* identity = nullptr) const;
    const support::TestPki& pki() const { return pki_; }
    support::Identity device_identity(const std::string& name) const;
    support::Identity device_identity(const std::string& name, std::chrono::seconds lifetime) const;

    /// A service token of the policy for the whole hub.
    std::string policy_token(const std::string& policy) const;
    Caller owner() const { return {nullptr, policy_token("iothubowner")}; }
    /// A token for devices/{d}[/modules/{m}] under `key`.
    std::string identity_token(const std::string& device, const std::string& module, const std::string& key,
                               std::chrono::seconds lifetime = std::chrono::hours(1)) const;

    net::Task<http::Response> call(Ask ask, Caller caller) const;
    /// A bare TLS connection to one of the hub's ports.
    net::Task<net::Stream> open_stream(std::uint16_t port, const support::Identity* identity) const;
    net::Task<Connected> connect(MqttWish wish) const;
    /// Connects and leaves again; whether it was let in. For code that runs on no loop: a client dies with
    /// its own.
    base::Status try_connect(MqttWish wish) const;

    /// What the registry holds, as JSON of the service API. For code that runs on no loop.
    http::Response ask(Ask ask, Caller caller) const;
    http::Response ask(Ask question) const { return ask(std::move(question), owner()); }
    boost::json::object put_device(const std::string& id, const std::string& json) const;
    boost::json::object get(const std::string& target) const;
    /// Registers a device by thumbprint, optionally with a second one.
    boost::json::object register_device(const std::string& id, const support::Identity& first,
                                        const support::Identity* second = nullptr,
                                        const std::string& more = {}) const;
    /// Everything that the hub has stored, oldest first.
    std::vector<hub::Telemetry::Stored> stored() const;

  private:
    void start();
    void stop();

    support::TemporaryDirectory directory_;
    support::TestPki pki_;
    MovableClock clock_;
    std::map<std::string, std::string> policy_keys_;
    std::unique_ptr<net::Loops> loops_;
    std::unique_ptr<hub::Hub> hub_;
    std::thread thread_;
};

std::string thumbprint(const support::Identity& identity);
/// Waits for the end of the connection; nullopt where it lives on for `limit`.
net::Task<std::optional<base::Error>> ended_within(mqtt::Client& client, std::chrono::seconds limit);

/// What this process logs while it lives.
class CapturedLog {
  public:
    CapturedLog();
    ~CapturedLog();
    /// Ends the capture.
    std::string text();

  private:
    bool open_ = true;
};

}  // namespace hub_test
