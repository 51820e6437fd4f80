// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gateway/scope_cache.hpp"
#include "http/server.hpp"
#include "mqtt/connection.hpp"
#include "net/completion.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"

/// What a fake hub knows and has received; outlives the hubs that serve it, as a registry outlives a restart.
struct HubState {
    struct Received {
        std::string origin;
        std::string payload;
        std::string topic;
    };

    std::mutex mutex;
    std::condition_variable arrived;
    std::map<trust::Identity, trust::Record> records;
    std::vector<gateway::VerifiedCa> certificates;
    std::vector<trust::Identity> changes;  ///< change number 1 is the first
    std::vector<bool> certificate_changes;
    std::vector<Received> received;
    std::set<std::string> refused_devices;     ///< CONNACK 5, though their records are good
    std::set<std::string> unanswered_lookups;  ///< 503 where they are asked for one by one
    bool refuse_gateway = false;               ///< 401 for the gateway's own token
    bool closing = false;                      ///< the hub that serves it ends
    int lookups = 0;
    std::vector<std::shared_ptr<net::Completion>> held;
    std::string module_key;

    void put(const trust::Record& record);
    void remove(const trust::Identity& identity);
    void put_certificates(std::vector<gateway::VerifiedCa> all);
    /// The payloads of one device, once there are at least `count`; fewer after `limit`.
    std::vector<std::string> payloads(const std::string& device, std::size_t count,
                                      std::chrono::seconds limit = std::chrono::seconds(60));
    void release();

  private:
    void changed(const trust::Identity& identity, bool certificates);
};

/// An IoT hub of a test, made of our net, http and mqtt: scope calls over HTTPS, MQTT on behalf of devices.
/// Ends with its object, connections included.
class FakeHub {
  public:
    FakeHub(HubState& state, std::shared_ptr<const net::ServerTls> tls, std::uint16_t mqtt_port = 0,
            std::uint16_t https_port = 0);
    ~FakeHub();
    std::uint16_t mqtt_port() const { return mqtt_->port(); }
    std::uint16_t https_port() const { return https_->port(); }

  private:
    HubState& state_;
    net::Loops loops_{1};
    std::unique_ptr<net::TlsListener> mqtt_;
    std::unique_ptr<net::TlsListener> https_;
    std::thread thread_;
};
