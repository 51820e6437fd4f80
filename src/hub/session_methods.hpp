// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "azure/message.hpp"
#include "azure/method.hpp"
#include "hub/methods.hpp"
#include "hub/services.hpp"
#include "hub/subscriptions.hpp"
#include "mqtt/packet.hpp"

namespace hub {

/// The side of direct methods that is turned to the device (hub.md 3.4).

/// Whom a caller waits for who found the device not subscribed: the subject among LoopState::methods.
std::string subscribed_subject(const trust::Identity& identity);
/// To those who wait for it, on every loop: the identity subscribes to methods now. From any thread.
void announce_method_subscription(const Services& services, const trust::Identity& identity);
/// Begins to hand the request to the identity's connection, where it has one and that is subscribed; the
/// attempt tells what came of it.
void send_method(const Sessions& sessions, const trust::Identity& identity, std::string name,
                 std::string request, std::string payload, std::shared_ptr<MethodAttempt> attempt);
/// An answer of the device, to whoever waits for it; one that nobody waits for is dropped.
void take_method_answer(const Services& services, const trust::Identity& identity, const azure::Topic& topic,
                        base::Bytes payload);

}  // namespace hub
