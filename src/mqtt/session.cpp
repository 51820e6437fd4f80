// SPDX-License-Identifier: Apache-2.0
#include "mqtt/session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "mqtt/overloaded.hpp"

namespace mqtt {
namespace {

base::Error violation(std::string_view packet, std::string reason) {
    return {base::Code::malformed, std::string(packet), std::move(reason), {}};
}

/// What a waiting packet costs us in memory.
std::size_t weight(const Packet& packet) {
    const auto contents = std::visit(
        Overloaded{[](const Publish& publish) { return publish.topic.size() + publish.payload.size(); },
                   [](const Subscribe& subscribe) {
                       std::size_t size = 0;
                       for (const auto& wanted : subscribe.subscriptions)
                           size += sizeof(wanted) + wanted.filter.size();
                       return size;
                   },
                   [](const Unsubscribe& unsubscribe) {
                       std::size_t size = 0;
                       for (const auto& filter : unsubscribe.filters) size += sizeof(filter) + filter.size();
                       return size;
                   },
                   [](const auto&) { return std::size_t{0}; }},
        packet);
    return sizeof(Packet) + contents;
}

std::chrono::seconds patience_of(std::uint16_t keep_alive) {
    if (keep_alive == 0) return limits::keep_alive_cap;
    return std::min(std::chrono::seconds((keep_alive * 3 + 1) / 2), limits::keep_alive_cap);
}

std::vector<Action> one(Action action) {
    std::vector<Action> actions;
    actions.push_back(std::move(action));
    return actions;
}

void append(std::vector<Action>& to, std::vector<Action> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<Action> Session::close(base::Error why) {
    state_ = State::closing;
    waiting_.clear();
    return one(Close{std::move(why)});
}

std::vector<Action> Session::on_packet(Packet packet, base::Instant now) {
    switch (state_) {
        case State::awaiting_connect: {
            auto* connect = std::get_if<Connect>(&packet);
            if (connect == nullptr)
                return close(violation(name(packet), "came before CONNECT (MQTT-3.1.0-1)"));
            return on_connect(std::move(*connect));
        }
        case State::authenticating:
            return wait(std::move(packet));
        case State::running:
            silent_after_ = now + patience_;
            return on_running(std::move(packet));
        case State::closing:
            return {};
    }
    return {};
}

std::vector<Action> Session::on_connect(Connect connect) {
    if (connect.protocol != "MQTT" || connect.level != 4) {
        const auto level = connect.protocol == "MQTT" ? connect.level : std::uint8_t{4};
        std::vector<Action> actions;
        actions.push_back(Send{
            Connack{.session_present = false, .code = ConnackCode::unacceptable_protocol, .level = level}});
        auto why = violation("CONNECT", "asks for " + connect.protocol + " level " +
                                            std::to_string(connect.level) + " (MQTT-3.1.2-2)");
        why.code = base::Code::unsupported;
        why.fix = "use MQTT 3.1.1";
        append(actions, close(std::move(why)));
        return actions;
    }
    if (connect.will && connect.will->qos == Qos::exactly_once) {
        auto why = violation("CONNECT", "has a will of QoS 2, which this server does not take");
        why.code = base::Code::unsupported;
        return close(std::move(why));
    }
    if (connect.client_id.empty() && !connect.clean_session) {
        state_ = State::authenticating;
        return refuse(ConnackCode::identifier_rejected,
                      violation("CONNECT", "has an empty client id without clean session (MQTT-3.1.3-8)"));
    }
    state_ = State::authenticating;
    silent_after_ = base::Instant::max();
    patience_ = patience_of(connect.keep_alive);
    clean_session_ = connect.clean_session;
    claimed_will_ = connect.will;
    return one(Authenticate{std::move(connect)});
}

std::vector<Action> Session::wait(Packet packet) {
    if (std::holds_alternative<Connect>(packet))
        return close(violation("CONNECT", "came a second time (MQTT-3.1.0-2)"));
    waiting_bytes_ += weight(packet);
    if (waiting_bytes_ > limits::waiting) {
        return close({base::Code::too_large,
                      std::string(name(packet)),
                      "came before CONNACK, when " + std::to_string(limits::waiting) +
                          " bytes of packets were waiting already (limit)",
                      {}});
    }
    waiting_.push_back(std::move(packet));
    return {};
}

std::vector<Action> Session::accept(bool session_present, base::Instant now) {
    if (state_ == State::closing) return {};
    assert(state_ == State::authenticating);
    state_ = State::running;
    silent_after_ = now + patience_;
    will_ = std::move(claimed_will_);
    // MQTT-3.2.2-1: a clean session never finds an old one.
    auto actions = one(Send{Connack{.session_present = session_present && !clean_session_}});
    auto waited = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    for (auto& packet : waited) append(actions, on_packet(std::move(packet), now));
    return actions;
}

std::vector<Action> Session::refuse(ConnackCode code, base::Error why) {
    if (state_ == State::closing) return {};
    assert(state_ == State::authenticating && code != ConnackCode::accepted);
    auto actions = one(Send{Connack{.session_present = false, .code = code}});
    append(actions, close(std::move(why)));
    return actions;
}

std::vector<Action> Session::on_running(Packet packet) {
    const auto wrong_way = [&] {
        return close(violation(name(packet), "is never sent by a client (MQTT 3.1.1 table 2.1)"));
    };
    return std::visit(
        Overloaded{[&](Connect&) { return close(violation("CONNECT", "came a second time (MQTT-3.1.0-2)")); },
                   [&](Publish& publish) { return on_publish(std::move(publish)); },
                   [&](Puback& puback) {
                       const auto found = std::ranges::lower_bound(in_flight_out_, puback.packet_id);
                       // One that nobody waits for does no harm: section 4.4 lets a client acknowledge twice.
                       if (found == in_flight_out_.end() || *found != puback.packet_id)
                           return std::vector<Action>{};
                       in_flight_out_.erase(found);
                       return one(Acknowledged{puback.packet_id});
                   },
                   [&](QosTwoStep&) {
                       return close({base::Code::unsupported,
                                     std::string(name(packet)),
                                     "belongs to QoS 2, which this server does not speak",
                                     {}});
                   },
                   [&](Subscribe& subscribe) {
                       for (auto& wanted : subscribe.subscriptions)
                           wanted.qos = std::min(wanted.qos, Qos::at_least_once);
                       return one(Grant{std::move(subscribe)});
                   },
                   [&](Unsubscribe& unsubscribe) {
                       auto actions = one(Send{Unsuback{unsubscribe.packet_id}});
                       actions.push_back(Revoke{std::move(unsubscribe)});
                       return actions;
                   },
                   [&](Pingreq&) { return one(Send{Pingresp{}}); },
                   [&](Disconnect&) {
                       state_ = State::closing;
                       will_.reset();
                       return one(End{});
                   },
                   [&](Connack&) { return wrong_way(); }, [&](Suback&) { return wrong_way(); },
                   [&](Unsuback&) { return wrong_way(); }, [&](Pingresp&) { return wrong_way(); }},
        packet);
}

std::vector<Action> Session::on_publish(Publish publish) {
    if (publish.qos == Qos::exactly_once) {
        return close({base::Code::unsupported, "PUBLISH", "has QoS 2, which this server does not speak",
                      "publish with QoS 1"});
    }
    if (publish.qos == Qos::at_least_once) {
        if (unacknowledged_in_.size() == limits::unstored) {
            return close({base::Code::too_large,
                          "PUBLISH",
                          "came while " + std::to_string(limits::unstored) + " wait for PUBACK (limit)",
                          {}});
        }
        unacknowledged_in_.emplace_back(publish.packet_id, false);
    }
    return one(Deliver{std::move(publish)});
}

std::vector<Action> Session::stored(std::uint16_t packet_id) {
    std::vector<Action> actions;
    if (state_ != State::running) return actions;
    const auto found = std::ranges::find(unacknowledged_in_, std::pair(packet_id, false));
    if (found != unacknowledged_in_.end()) found->second = true;
    const auto open = std::ranges::find(unacknowledged_in_, false, &std::pair<std::uint16_t, bool>::second);
    for (auto each = unacknowledged_in_.begin(); each != open; ++each)
        actions.push_back(Send{Puback{each->first}});
    unacknowledged_in_.erase(unacknowledged_in_.begin(), open);
    return actions;
}

std::vector<Action> Session::granted(std::uint16_t packet_id, std::vector<std::uint8_t> codes) {
    if (state_ != State::running) return {};
    constexpr std::uint8_t failure = 0x80;
    for (auto& code : codes)
        if (code != failure) code = std::min<std::uint8_t>(code, 1);
    return one(Send{Suback{packet_id, std::move(codes)}});
}

std::optional<Publish> Session::send(Publish message, std::uint16_t wanted) {
    if (message.qos == Qos::at_most_once) {
        message.packet_id = 0;
        message.duplicate = false;
        return message;
    }
    constexpr std::size_t ids = 65'535;
    if (in_flight_out_.size() == ids) return std::nullopt;
    message.qos = Qos::at_least_once;
    const auto at = std::ranges::lower_bound(in_flight_out_, wanted);
    if (wanted != 0 && (at == in_flight_out_.end() || *at != wanted)) {
        in_flight_out_.insert(at, wanted);
        message.packet_id = wanted;
        return message;
    }
    // Sorted, so the first gap at or behind next_id_ is found by walking the neighbours that are taken.
    auto place = std::ranges::lower_bound(in_flight_out_, next_id_);
    while (place != in_flight_out_.end() && *place == next_id_) {
        ++next_id_;
        ++place;
        if (next_id_ == 0) {
            next_id_ = 1;
            place = in_flight_out_.begin();
        }
    }
    in_flight_out_.insert(place, next_id_);
    message.packet_id = next_id_++;
    if (next_id_ == 0) next_id_ = 1;
    return message;
}

std::size_t Session::unstored() const {
    return unacknowledged_in_.size();
}

}  // namespace mqtt
