// SPDX-License-Identifier: Apache-2.0
#include "gateway/hub_link.hpp"

#include <algorithm>
#include <random>

#include "base/events.hpp"
#include "base/log.hpp"

namespace gateway {

namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds shortest{500};
constexpr milliseconds longest{15'000};
/// A try that has not been reported by then is taken as lost, so that one lost report cannot stop all.
constexpr milliseconds patience{90'000};

struct Listed {
    Listed(std::list<net::Event*>& all, net::Event* event) : all_(all), at_(all.insert(all.end(), event)) {}
    ~Listed() { all_.erase(at_); }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

  private:
    std::list<net::Event*>& all_;
    std::list<net::Event*>::iterator at_;
};

}  // namespace

net::Task<bool> Broadcast::wait(milliseconds limit) {
    net::Event event;
    const Listed listed(waiters_, &event);
    const bool notified = co_await event.wait(limit);
    co_return notified;
}

void Broadcast::notify_all() {
    for (auto* event : waiters_) event->notify();
}

milliseconds backoff(int attempt, double random) {
    const int doublings = std::clamp(attempt - 1, 0, 10);
    const auto full = std::min(longest, shortest * (1 << doublings));
    const auto half = full.count() / 2;
    return milliseconds(half + static_cast<std::int64_t>(static_cast<double>(full.count() - half) * random));
}

milliseconds backoff(int attempt) {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return backoff(attempt, std::uniform_real_distribution<double>(0.0, 1.0)(generator));
}

net::Task<bool> HubLink::turn() {
    while (!stopped_) {
        if (up_) co_return true;
        const auto now = Steady::now();
        if (trying_ && now - trying_since_ > patience) trying_ = false;
        if (!trying_ && now >= next_) {
            trying_ = true;
            trying_since_ = now;
            co_return true;
        }
        const auto until_next = std::chrono::duration_cast<milliseconds>(next_ - now) + milliseconds(1);
        const milliseconds pause = trying_ ? patience : until_next;
        const bool notified = co_await changed_.wait(pause);
        // A wait that ends early without a notification was cancelled.
        if (!notified && Steady::now() - now < pause) co_return false;
    }
    co_return false;
}

net::Task<bool> HubLink::wait_up() {
    while (!up_ && !stopped_) {
        const auto before = Steady::now();
        const bool notified = co_await changed_.wait(patience);
        if (!notified && Steady::now() - before < patience) co_return false;
    }
    co_return !stopped_;
}

void HubLink::succeeded() {
    trying_ = false;
    attempt_ = 0;
    if (up_) return;
    up_ = true;
    base::log::info(base::events::hub_found);
    changed_.notify_all();
}

void HubLink::failed(const base::Error& why) {
    if (why.code == base::Code::cancelled) return unused();
    // Those that were under way when the hub went away report the same end; it counts once.
    if (!up_ && !trying_) return;
    if (up_) base::log::write(base::log::Level::warning, base::events::hub_lost, why);
    up_ = false;
    trying_ = false;
    next_ = Steady::now() + backoff(++attempt_);
    changed_.notify_all();
}

void HubLink::unused() {
    if (up_ || !trying_) return;
    trying_ = false;
    next_ = Steady::now() + backoff(++attempt_);
    changed_.notify_all();
}

void HubLink::stop() {
    stopped_ = true;
    changed_.notify_all();
}

}  // namespace gateway
