// SPDX-License-Identifier: Apache-2.0
#include "hub/queue_sweep.hpp"

#include "base/events.hpp"
#include "base/log.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::chrono::milliseconds rhythm{1000};
constexpr std::chrono::milliseconds idle = std::chrono::hours(1);

}  // namespace

net::Task<> sweep_queue(const Services& services) {
    Waiters::Place place(services.here().sweeps, "sweep");
    while (!services.stopping) {
        if (services.queue.needs_sweep()) {
            const auto start = [&](auto done) { services.queue.sweep(std::move(done)); };
            const auto swept = co_await net::await_callback<base::Result<bool>>(start);
            if (!swept) base::log::error(base::events::store_failed, swept.error());
        }
        const auto pause = services.queue.needs_sweep() ? rhythm : idle;
        co_await place.wait(pause);
    }
}

}  // namespace hub
