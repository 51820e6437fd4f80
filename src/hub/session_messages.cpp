// SPDX-License-Identifier: Apache-2.0
#include "hub/session_messages.hpp"

#include <algorithm>

#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/mqtt_session.hpp"

namespace hub {

namespace {

// What is unwritten of these, at their largest, is less than what closes a connection (mqtt::Connection).
constexpr std::size_t window = 4;

/// The same for every delivery of a message, without a place to keep it.
std::uint16_t packet_id_of(std::uint64_t sequence) {
    constexpr std::uint64_t ids = 65'535;
    return static_cast<std::uint16_t>(1 + sequence % ids);
}

}  // namespace

SessionMessages::SessionMessages(MqttSession& session, DeviceQueue& queue, std::string generation)
    : session_(session),
      queue_(queue),
      address_{session.identity().device, std::move(generation)},
      holder_(queue.new_holder()) {}

void SessionMessages::look() {
    if (!session_.is_open() || !session_.subscriptions().to(Feed::devicebound)) return;
    if (fetching_) {
        again_ = true;
        return;
    }
    if (with_device_.size() < window && queue_.count(address_.device) > 0) fetch();
}

void SessionMessages::fetch() {
    fetching_ = true;
    again_ = false;
    used_ = true;
    queue_.hold(address_, holder_, window - with_device_.size(),
                [weak = session_.weak_from_this(),
                 loop = &session_.loop()](base::Result<std::vector<DeviceQueue::Held>> held) {
                    loop->post([weak, held = std::move(held)]() mutable {
                        if (const auto session = weak.lock(); session && session->messages())
                            session->messages()->arrived(std::move(held));
                    });
                });
}

void SessionMessages::arrived(base::Result<std::vector<DeviceQueue::Held>> held) {
    fetching_ = false;
    if (!held) {
        base::log::error(base::events::store_failed, held.error(), {{"device", address_.device}});
        return;
    }
    const auto qos = session_.subscriptions().to(Feed::devicebound);
    if (!qos) {
        // Unsubscribed meanwhile: it gives back what it will not send, and what it has sent with it.
        if (!held->empty()) {
            queue_.release(address_.device, holder_);
            with_device_.clear();
        }
        return;
    }
    for (auto& message : *held)
        if (!send(message, *qos)) return;
    if (!held->empty() || again_) look();
}

bool SessionMessages::send(DeviceQueue::Held& held, mqtt::Qos qos) {
    mqtt::Publish publish;
    publish.topic = azure::devicebound_topic(address_.device, held.delivery.message);
    publish.payload = std::move(held.delivery.message.message.body);
    publish.qos = qos;
    publish.duplicate = held.sent_before;
    const auto id = session_.send(std::move(publish), packet_id_of(held.delivery.sequence));
    if (!id) return false;
    if (*id == 0)
        complete(std::move(held.lock_token));
    else
        with_device_.emplace_back(*id, std::move(held.lock_token));
    return true;
}

void SessionMessages::acknowledged(std::uint16_t packet_id) {
    const auto found =
        std::ranges::find(with_device_, packet_id, &std::pair<std::uint16_t, std::string>::first);
    if (found == with_device_.end()) return;
    auto lock_token = std::move(found->second);
    with_device_.erase(found);
    complete(std::move(lock_token));
    look();
}

void SessionMessages::complete(std::string lock_token) {
    queue_.settle(address_.device, std::move(lock_token), DeviceQueue::Settlement::complete,
                  [device = address_.device](const base::Result<bool>& done) {
                      // Purged, or with a newer session of the device, while this one had it.
                      if (done || done.error().code == base::Code::precondition_failed) return;
                      base::log::error(base::events::store_failed, done.error(), {{"device", device}});
                  });
}

void SessionMessages::end() {
    if (used_) queue_.release(address_.device, holder_);
    used_ = false;
}

}  // namespace hub
