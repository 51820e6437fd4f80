// SPDX-License-Identifier: Apache-2.0
#include "hub/session_methods.hpp"

#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/mqtt_session.hpp"

namespace hub {

std::string subscribed_subject(const trust::Identity& identity) {
    // No $rid is spelled like this.
    return "subscribed/" + identity.text();
}

void announce_method_subscription(const Services& services, const trust::Identity& identity) {
    on_each_loop(services.loops,
                 [subject = subscribed_subject(identity)](LoopState& here) { here.methods.wake(subject); });
}

void send_method(const Sessions& sessions, const trust::Identity& identity, std::string name,
                 std::string request, std::string payload, std::shared_ptr<MethodAttempt> attempt) {
    sessions.tell(identity, [name = std::move(name), request = std::move(request),
                             payload = std::move(payload), attempt = std::move(attempt)](Member& member) {
        auto* session = dynamic_cast<MqttSession*>(&member);
        if (session == nullptr || !session->subscriptions().to_method(name)) return;
        const auto bytes = base::as_bytes(payload);
        // Always QoS 0: who calls waits for the answer, and repeats the call where none comes.
        const auto sent = session->send(azure::method_topic(name, request), {bytes.begin(), bytes.end()},
                                        mqtt::Qos::at_most_once);
        if (sent) attempt->succeeded();
    });
}

void take_method_answer(const Services& services, const trust::Identity& identity, const azure::Topic& topic,
                        base::Bytes payload) {
    if (services.methods.answer(identity, topic.request, {topic.status, std::move(payload)})) return;
    base::log::debug(base::events::message_refused, {{"device", identity.device},
                                                     {"module", identity.module},
                                                     {"reason", "nobody waits for the method answer"},
                                                     {"request", topic.request}});
}

}  // namespace hub
