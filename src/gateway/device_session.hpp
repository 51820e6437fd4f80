// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "crl/keeper.hpp"
#include "gateway/judge.hpp"
#include "gateway/scope_sync.hpp"
#include "gateway/sessions.hpp"
#include "mqtt/connection.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "store/segment_log.hpp"

namespace gateway {

/// What all downstream sessions share; outlives them.
struct SessionWorld {
    std::vector<std::string> hosts;  ///< the hub's name, then the gateway's
    SharedScope& scope;
    const crl::Keeper& crls;
    ScopeSync& sync;
    net::Loop& sync_loop;  ///< where `sync` lives
    Sessions& sessions;
    store::SegmentLog& log;
    const base::Clock& clock;
};

/// Serves one downstream MQTT connection from CONNECT to its end: authenticates it by the scope cache, grants
/// its own filters, and keeps its telemetry in the log, acknowledged once it is durable.
net::Task<> serve_device(net::Stream stream, SessionWorld& world);

}  // namespace gateway
