// SPDX-License-Identifier: Apache-2.0
#include "hub/sessions.hpp"

#include <algorithm>
#include <utility>

namespace hub {

struct Sessions::Entry {
    std::weak_ptr<Member> member;
    net::Loop* loop;
    trust::Identity identity;
    std::vector<std::string> devices;

    /// Runs `work` with the member on its own loop, where it still lives by then.
    void post(std::function<void(Member&)> work) const {
        loop->post([member = member, work = std::move(work)] {
            if (const auto alive = member.lock()) work(*alive);
        });
    }
};

Sessions::Place::~Place() {
    if (entry_) sessions_->leave(entry_);
}

Sessions::Shard& Sessions::shard_of(const std::string& device) {
    return shards_[std::hash<std::string>{}(device) % shards_.size()];
}
const Sessions::Shard& Sessions::shard_of(const std::string& device) const {
    return shards_[std::hash<std::string>{}(device) % shards_.size()];
}

Sessions::Place Sessions::enter(std::weak_ptr<Member> member, net::Loop& loop, trust::Identity identity,
                                std::vector<std::string> devices) {
    std::ranges::sort(devices);
    const auto [first, last] = std::ranges::unique(devices);
    devices.erase(first, last);
    auto entry =
        std::make_shared<Entry>(Entry{std::move(member), &loop, std::move(identity), std::move(devices)});
    for (const auto& device : entry->devices) {
        auto& shard = shard_of(device);
        const std::lock_guard lock(shard.mutex);
        shard.by_device.emplace(device, entry);
    }
    return {*this, std::move(entry)};
}

void Sessions::leave(const std::shared_ptr<Entry>& entry) {
    for (const auto& device : entry->devices) {
        auto& shard = shard_of(device);
        const std::lock_guard lock(shard.mutex);
        const auto [first, last] = shard.by_device.equal_range(device);
        const auto found = std::find_if(first, last, [&](const auto& pair) { return pair.second == entry; });
        if (found != last) shard.by_device.erase(found);
    }
    auto& shard = shard_of(entry->identity.device);
    const std::lock_guard lock(shard.mutex);
    const auto holder = shard.holders.find(entry->identity);
    if (holder == shard.holders.end() || holder->second.entry != entry) return;
    shard.holders.erase(holder);
    if (!entry->identity.is_module()) --connected_devices_;
    if (presence_) presence_(entry->identity, false);
}

void Sessions::hold(const Place& place, const std::string& address, base::Instant now) {
    const auto& entry = place.entry_;
    std::shared_ptr<Entry> before;
    {
        auto& shard = shard_of(entry->identity.device);
        const std::lock_guard lock(shard.mutex);
        auto& holder = shard.holders[entry->identity];
        before = std::exchange(holder.entry, entry);
        holder.since = now;
        if (!before && !entry->identity.is_module()) ++connected_devices_;
        if (!before && presence_) presence_(entry->identity, true);
    }
    if (before && before != entry) before->post([address](Member& member) { member.displaced(address); });
}

void Sessions::on_presence(std::function<void(const trust::Identity&, bool)> observer) {
    presence_ = std::move(observer);
}

std::optional<base::Instant> Sessions::connected_since(const trust::Identity& identity) const {
    const auto& shard = shard_of(identity.device);
    const std::lock_guard lock(shard.mutex);
    const auto holder = shard.holders.find(identity);
    if (holder == shard.holders.end()) return std::nullopt;
    return holder->second.since;
}

bool Sessions::tell(const trust::Identity& identity, std::function<void(Member&)> work) const {
    const auto& shard = shard_of(identity.device);
    const std::lock_guard lock(shard.mutex);
    const auto holder = shard.holders.find(identity);
    if (holder == shard.holders.end()) return false;
    holder->second.entry->post(std::move(work));
    return true;
}

std::size_t Sessions::size() const {
    std::size_t sum = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        sum += shard.holders.size();
    }
    return sum;
}

void Sessions::judge(const std::string& device) {
    auto& shard = shard_of(device);
    const std::lock_guard lock(shard.mutex);
    const auto [first, last] = shard.by_device.equal_range(device);
    for (auto at = first; at != last; ++at) at->second->post([](Member& member) { member.judge_again(); });
}

template <class Tell>
void Sessions::tell_all(Tell tell) {
    for (auto& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (const auto& [device, entry] : shard.by_device) {
            // A session stands under several devices and is told once.
            if (device == entry->identity.device) entry->post(tell);
        }
    }
}

void Sessions::judge_all() {
    tell_all([](Member& member) { member.judge_again(); });
}
void Sessions::shut_down() {
    tell_all([](Member& member) { member.shut_down(); });
}

}  // namespace hub
