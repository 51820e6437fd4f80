// SPDX-License-Identifier: Apache-2.0
#include "gateway/sessions.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace gateway {

namespace {

base::Error stopping() {
    return {base::Code::cancelled, "gateway", "is stopping", ""};
}

}  // namespace

void Sessions::enter(const trust::Identity& identity, net::Loop& loop, std::shared_ptr<LiveSession> session) {
    std::optional<Entry> displaced;
    bool closed = false;
    {
        const std::lock_guard lock(mutex_);
        closed = closed_;
        if (!closed) {
            const auto [at, fresh] = live_.try_emplace(identity, Entry{&loop, session});
            if (fresh) {
                by_device_[identity.device].push_back(identity);
            } else {
                displaced = std::exchange(at->second, Entry{&loop, session});
            }
        }
    }
    if (closed) return session->end(stopping());
    if (!displaced) return;
    const auto old = displaced->session;
    displaced->loop->post([old, identity] {
        old->end({base::Code::already_exists, identity.text(),
                  "has connected again, and the newer connection wins",
                  "if it did not, another device uses its credential"});
    });
}

void Sessions::leave(const trust::Identity& identity, const LiveSession* session) {
    const std::lock_guard lock(mutex_);
    const auto at = live_.find(identity);
    if (at == live_.end() || at->second.session.get() != session) return;
    live_.erase(at);
    const auto device = by_device_.find(identity.device);
    if (device == by_device_.end()) return;
    std::erase(device->second, identity);
    if (device->second.empty()) by_device_.erase(device);
}

void Sessions::judge_again(const ScopeChange& change) {
    std::vector<Entry> concerned;
    {
        const std::lock_guard lock(mutex_);
        if (change.everybody) {
            for (const auto& [identity, entry] : live_) concerned.push_back(entry);
        } else {
            for (const auto& device : change.devices) {
                const auto at = by_device_.find(device);
                if (at == by_device_.end()) continue;
                for (const auto& identity : at->second) {
                    if (const auto entry = live_.find(identity); entry != live_.end()) {
                        concerned.push_back(entry->second);
                    }
                }
            }
        }
    }
    for (const auto& entry : concerned) {
        entry.loop->post([session = entry.session] { session->judge_again(); });
    }
}

void Sessions::end_all() {
    std::vector<Entry> all;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& [identity, entry] : live_) all.push_back(entry);
    }
    for (const auto& entry : all) {
        entry.loop->post([session = entry.session] { session->end(stopping()); });
    }
}

std::size_t Sessions::size() const {
    const std::lock_guard lock(mutex_);
    return live_.size();
}

}  // namespace gateway
