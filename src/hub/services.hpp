// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "crl/keeper.hpp"
#include "hub/anchors.hpp"
#include "hub/config.hpp"
#include "hub/consumers.hpp"
#include "hub/device_queue.hpp"
#include "hub/explanations.hpp"
#include "hub/kept_sessions.hpp"
#include "hub/methods.hpp"
#include "hub/query_pool.hpp"
#include "hub/sessions.hpp"
#include "hub/telemetry.hpp"
#include "hub/throttle.hpp"
#include "hub/waiters.hpp"
#include "registry/registry.hpp"

namespace hub {

/// What each loop has to itself.
struct LoopState {
    net::Loop* loop = nullptr;
    std::unique_ptr<registry::Reader> reader;
    Waiters scopes;    ///< held scopeChanges requests, by device scope
    Waiters messages;  ///< held message requests
    Waiters methods;   ///< direct methods: by request, and by whom they wait to subscribe
    Waiters feedback;  ///< held feedback requests
    Waiters sweeps;    ///< of the one loop that sweeps the queue of devices
};

/// What sessions and routes work with; outlives them all.
struct Services {
    const Config& config;
    const base::Clock& clock;
    registry::Registry& registry;
    QueryPool& queries;
    Telemetry& telemetry;
    Consumers& consumers;
    Explanations& explanations;
    Throttle& throttle;
    DeviceQueue& queue;
    KeptSessions& kept;
    Anchors& anchors;
    const crl::Keeper& crls;
    Sessions& sessions;
    Methods& methods;
    std::vector<std::unique_ptr<LoopState>>& loops;
    std::atomic<bool>& stopping;

    /// That of the calling loop.
    LoopState& here() const { return *loops[net::this_loop().index()]; }
};

/// Runs `work(LoopState&)` on each loop, soon. From any thread.
template <class Work>
void on_each_loop(const std::vector<std::unique_ptr<LoopState>>& loops, Work work) {
    for (const auto& state : loops) state->loop->post([here = state.get(), work] { work(*here); });
}

}  // namespace hub
