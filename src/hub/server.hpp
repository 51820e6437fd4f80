// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "crl/keeper.hpp"
#include "hub/anchors.hpp"
#include "hub/config.hpp"
#include "hub/consumers.hpp"
#include "hub/expiry.hpp"
#include "hub/explanations.hpp"
#include "hub/hub_events.hpp"
#include "hub/query_pool.hpp"
#include "hub/services.hpp"
#include "hub/sessions.hpp"
#include "hub/telemetry.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "registry/registry.hpp"

namespace hub {

/// A hub that serves: it has locked its directory, opened registry and messages, and listens.
/// Made before `loops` run, stopped on one of them, destroyed after they have ended and before they are.
class Hub {
  public:
    static base::Result<std::unique_ptr<Hub>> open(Config config, net::Loops& loops,
                                                   const base::Clock& clock);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    std::uint16_t mqtt_port() const;
    std::uint16_t https_port() const;
    const Config& config() const { return config_; }
    /// Accepts nobody any more, answers what is held, closes every session. From any thread.
    void stop();

    registry::Registry& registry() { return *registry_; }
    Telemetry& telemetry() { return *telemetry_; }
    Sessions& sessions() { return sessions_; }
    DeviceQueue& queue() { return *queue_; }
    crl::Keeper& crls() { return *crls_; }

  private:
    Hub(Config config, net::Loops& loops, const base::Clock& clock, base::DirectoryLock lock);
    base::Status open_stores();
    base::Status open_listeners();
    void changed(const registry::Change& change);
    void twin_changed(const registry::TwinChange& change);
    void observe_queue();
    base::Status open_crls();

    Config config_;
    net::Loops& loops_;
    const base::Clock& clock_;
    base::DirectoryLock lock_;
    std::atomic<bool> stopping_ = false;
    Anchors anchors_;
    std::unique_ptr<crl::Keeper> crls_;
    Sessions sessions_;
    Methods methods_;
    std::vector<std::unique_ptr<LoopState>> states_;
    std::unique_ptr<Telemetry> telemetry_;
    std::unique_ptr<Expiry> expiry_;
    std::unique_ptr<Consumers> consumers_;
    std::unique_ptr<Explanations> explanations_;
    Throttle throttle_;
    std::unique_ptr<HubEvents> events_;
    std::unique_ptr<DeviceQueue> queue_;
    std::unique_ptr<KeptSessions> kept_;
    std::unique_ptr<registry::Registry> registry_;
    std::unique_ptr<QueryPool> queries_;
    std::unique_ptr<Services> services_;
    std::unique_ptr<net::TlsListener> mqtt_;
    std::unique_ptr<net::TlsListener> https_;
};

}  // namespace hub
