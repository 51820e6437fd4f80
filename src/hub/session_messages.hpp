// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hub/device_queue.hpp"
#include "mqtt/packet.hpp"

namespace hub {

class MqttSession;

/// Cloud-to-device messages of one MQTT session (hub.md 3.2): a few are with the device at a time, each
/// completed by its PUBACK; what is not acknowledged is sent again, as a duplicate, to its next session. On
/// the session's loop.
class SessionMessages {
  public:
    SessionMessages(MqttSession& session, DeviceQueue& queue, std::string generation);

    /// Something may be waiting: it is fetched where the device has subscribed and has room.
    void look();
    void acknowledged(std::uint16_t packet_id);
    /// The connection has ended.
    void end();

  private:
    void fetch();
    void arrived(base::Result<std::vector<DeviceQueue::Held>> held);
    /// False where the connection takes no more.
    bool send(DeviceQueue::Held& held, mqtt::Qos qos);
    void complete(std::string lock_token);

    MqttSession& session_;
    DeviceQueue& queue_;
    DeviceQueue::Address address_;
    std::int64_t holder_;
    std::vector<std::pair<std::uint16_t, std::string>> with_device_;  ///< packet id, lock token
    bool fetching_ = false;
    bool again_ = false;  ///< something has come while we fetched
    bool used_ = false;   ///< something may be held in our name
};

}  // namespace hub
