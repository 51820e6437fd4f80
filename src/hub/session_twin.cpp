// SPDX-License-Identifier: Apache-2.0
#include "hub/session_twin.hpp"

#include <utility>

#include "azure/twin.hpp"
#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/mqtt_session.hpp"
#include "hub/refusals.hpp"
#include "hub/tracking.hpp"

namespace hub {

namespace {

namespace events = base::events;

constexpr std::size_t longest_model_id = 128;

base::Bytes to_bytes(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

/// more: what stands behind the request id, as "&$version=4".
void answer(MqttSession& session, int status, const std::string& request, std::string_view body,
            const std::string& more = {}) {
    if (!session.subscriptions().to(Feed::twin_answers)) return;
    session.send("$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + request + more, to_bytes(body),
                 mqtt::Qos::at_most_once);
}

/// The Node SDK looks for errorCode in the body alone; the status in the topic is for the others.
void refuse(MqttSession& session, const std::string& request, const Refusal& refusal,
            const std::string& reason) {
    const auto tracking = make_tracking_id();
    base::log::warning(events::twin_refused, {{"device", session.identity().device},
                                              {"module", session.identity().module},
                                              {"error", std::string(azure::name(refusal.code))},
                                              {"reason", reason},
                                              {"tracking", tracking}});
    Explanation explanation;
    explanation.tracking = tracking;
    explanation.when = session.services().clock.now();
    explanation.protocol = "mqtt";
    explanation.address = session.address();
    explanation.identity = session.identity();
    explanation.caller = session.identity().text();
    explanation.request = "twin";
    explanation.answer =
        std::to_string(azure::http_status(refusal.code)) + " " + std::string(azure::name(refusal.code));
    explanation.reason = reason;
    session.services().explanations.add(std::move(explanation));
    answer(session, azure::http_status(refusal.code), request,
           azure::numbered_error(refusal.code, refusal.text, tracking, session.services().clock.now_ms()));
}

/// Whether the request was refused, and acknowledged, because there are more of its kind than [throttle]
/// allows.
bool throttled(MqttSession& session, Operation operation, const std::string& request,
               std::uint16_t packet_id) {
    const auto wait = session.services().throttle.take(operation, std::chrono::steady_clock::now());
    if (!wait) return false;
    const auto reason = std::string(to_string(operation)) + " come faster than [throttle] allows";
    refuse(session, request, {azure::ErrorCode::throttling, reason}, reason);
    session.acknowledge(packet_id);
    return true;
}

}  // namespace

void answer_twin_get(MqttSession& session, const azure::Topic& topic, std::uint16_t packet_id) {
    if (throttled(session, Operation::twin_reads, topic.request, packet_id)) return;
    const auto twin = session.services().here().reader->twin(session.identity());
    if (!twin) {
        refuse(session, topic.request, to_refusal(twin.error()), twin.error().text());
    } else if (!*twin) {
        const auto code = session.identity().is_module() ? azure::ErrorCode::module_not_found
                                                         : azure::ErrorCode::device_not_found;
        refuse(session, topic.request, {code, session.identity().text()}, "is not registered any more");
    } else {
        answer(session, 200, topic.request, azure::device_twin_json(**twin));
    }
    session.acknowledge(packet_id);
}

void take_reported(MqttSession& session, const azure::Topic& topic, const mqtt::Publish& publish) {
    if (throttled(session, Operation::twin_updates, topic.request, publish.packet_id)) return;
    auto patch = azure::parse_reported(base::as_text(publish.payload));
    if (!patch) {
        refuse(session, topic.request, body_refusal(patch.error()), patch.error().text());
        session.acknowledge(publish.packet_id);
        return;
    }
    if (!session.begin_write()) {
        refuse(session, topic.request,
               {azure::ErrorCode::throttling, "too many twin updates of this device are under way"},
               "the store is behind");
        session.acknowledge(publish.packet_id);
        return;
    }
    session.services().registry.report(
        session.identity(), session.generation(), *std::move(patch),
        [weak = session.weak_from_this(), loop = &session.loop(), request = topic.request,
         id = publish.packet_id](base::Result<std::int64_t> written) {
            loop->post([weak, request, id, written = std::move(written)] {
                const auto self = weak.lock();
                if (!self) return;
                if (written)
                    answer(*self, 204, request, {}, "&$version=" + std::to_string(*written));
                else
                    refuse(*self, request, write_refusal(written.error()), written.error().text());
                self->end_write(id);
            });
        });
}

void notify_desired(MqttSession& session, std::int64_t version, const std::string& body) {
    const auto qos = session.subscriptions().to(Feed::desired);
    if (!qos) return;
    session.send("$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version), to_bytes(body),
                 *qos);
}

void note_model(MqttSession& session) {
    const auto& model = session.claim().model_id;
    if (model.empty()) return;
    const auto& identity = session.identity();
    const auto failed = [device = identity.device, module = identity.module](const base::Error& why) {
        base::log::warning(events::twin_refused,
                           {{"device", device}, {"module", module}, {"reason", why.text()}});
    };
    if (model.size() > longest_model_id || !base::is_utf8(model)) {
        failed({base::Code::invalid_argument, "model-id", "is no text of at most 128 octets", {}});
        return;
    }
    // A device brings the same one at each connect: most of them cost no write.
    const auto known = session.services().here().reader->model_id(identity);
    if (known && *known == model) return;
    session.services().registry.note_model(identity, session.generation(), model,
                                           [failed](const base::Result<bool>& noted) {
                                               if (!noted) failed(noted.error());
                                           });
}

}  // namespace hub
