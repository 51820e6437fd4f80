// SPDX-License-Identifier: Apache-2.0
// The client's own tasks: one reads, one writes while there is output, one keeps the connection alive.
#include <algorithm>
#include <utility>

#include "mqtt/client_impl.hpp"

namespace mqtt {
namespace {

constexpr std::size_t largest_write = 64 * 1024;
/// Acknowledgements of ours that a server may leave unread.
constexpr std::size_t most_unread = 4 * limits::packet;
/// Messages that may come before there is a handler for them.
constexpr std::size_t most_unhandled = 256;

}  // namespace

net::Task<> Client::Impl::read(Ptr self) {
    constexpr std::size_t least = 2048, most = 64 * 1024;
    while (!self->end) {
        self->handle_inbox();
        if (self->end) break;
        // The deadline of a silent connection is keep_alive's.
        auto ready = co_await self->stream.readable(no_limit);
        if (!ready && ready.error().code == base::Code::timeout) continue;
        if (!ready) {
            self->finish(std::move(ready).error());
            break;
        }
        auto& inbox = self->inbox;
        const auto have = inbox.size();
        auto want = least;
        const auto size = packet_size(inbox);
        if (size && *size && **size > have) want = std::clamp(**size - have, least, most);
        inbox.resize(have + want);
        const auto tail = std::span(inbox).subspan(have);
        auto got = co_await self->stream.read_some(tail, no_limit);
        inbox.resize(have + (got ? *got : 0));
        if (!got && got.error().code != base::Code::timeout) self->finish(std::move(got).error());
    }
}

void Client::Impl::handle_inbox() {
    std::size_t used = 0;
    while (!end) {
        auto decoded = decode(std::span(inbox).subspan(used));
        if (!decoded) {
            finish(std::move(decoded).error());
            return;
        }
        if (!*decoded) break;
        used += (*decoded)->consumed;
        handle(std::move((*decoded)->packet));
    }
    if (used == inbox.size()) {
        base::Bytes().swap(inbox);
    } else {
        inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>(used));
    }
}

void Client::Impl::handle(Packet packet) {
    if (const auto* message = std::get_if<Publish>(&packet)) {
        handle_publish(*message);
    } else if (const auto* puback = std::get_if<Puback>(&packet)) {
        const auto found = pending.find(puback->packet_id);
        if (found == pending.end() || !found->second.subscriptions.empty()) return;
        found->second.waiting->answer({});
        pending.erase(found);
        let_in();
    } else if (const auto* suback = std::get_if<Suback>(&packet)) {
        handle_suback(*suback);
    } else if (std::holds_alternative<Pingresp>(packet)) {
        if (!std::exchange(pinged, false)) return;
        pinger.notify();
    } else {
        finish(
            error(base::Code::malformed, "got " + std::string(name(packet)) + ", which no server sends now"));
    }
}

void Client::Impl::handle_publish(const Publish& message) {
    if (message.qos == Qos::exactly_once) {
        finish(
            error(base::Code::malformed, "got a message of QoS 2, which was not subscribed (MQTT-3.8.4-6)"));
    } else if (handler) {
        deliver(message);
    } else if (unhandled.size() < most_unhandled) {
        unhandled.push_back(message);
    } else {
        finish(error(base::Code::too_large, "got more messages than can wait for a handler (limit 256)"));
    }
}

void Client::Impl::deliver(const Publish& message) {
    const auto called = handler;  // kept alive: the handler may drop the client, and so itself
    (*called)(message);
    if (end || message.qos == Qos::at_most_once) return;
    enqueue(Puback{message.packet_id});
    if (output_bytes > most_unread)
        finish(error(base::Code::rate_limited, "has a server that does not read"));
}

void Client::Impl::handle_suback(const Suback& suback) {
    constexpr std::uint8_t failure = 0x80;
    const auto found = pending.find(suback.packet_id);
    if (found == pending.end() || found->second.subscriptions.empty()) return;
    const auto asked = std::move(found->second);
    pending.erase(found);
    if (asked.subscriptions.size() != suback.codes.size()) {
        const auto why =
            error(base::Code::malformed, "got a SUBACK for another number of filters (MQTT-3.9.3-1)");
        asked.waiting->answer(std::unexpected(why));
        finish(why);
        return;
    }
    const auto refused = std::ranges::find(suback.codes, failure);
    if (refused == suback.codes.end()) {
        asked.waiting->answer({});
    } else {
        const auto place = static_cast<std::size_t>(refused - suback.codes.begin());
        asked.waiting->answer(base::fail(base::Code::permission_denied,
                                         "subscription to " + asked.subscriptions[place].filter,
                                         "was refused by the server"));
    }
    let_in();
}

void Client::Impl::enqueue(const Packet& packet, WaitingPtr written) {
    if (end) {
        if (written) written->answer(std::unexpected(*end));
        return;
    }
    auto bytes = encode(packet);
    output_bytes += bytes.size();
    output.push_back({std::move(bytes), std::move(written)});
    if (writing) return;
    writing = true;
    loop.spawn("mqtt.client.write", write(shared_from_this()));
}

net::Task<> Client::Impl::write(Ptr self) {
    while (!self->output.empty() && !self->end) {
        base::Bytes batch;
        std::vector<WaitingPtr> waiting;
        do {
            auto& next = self->output.front();
            if (batch.empty()) {
                batch = std::move(next.bytes);
            } else {
                batch.insert(batch.end(), next.bytes.begin(), next.bytes.end());
            }
            if (next.written) waiting.push_back(std::move(next.written));
            self->output.pop_front();
        } while (!self->output.empty() && batch.size() < largest_write);
        const auto limit = self->limit;
        auto written = co_await self->stream.write_all(batch, limit);
        self->output_bytes -= std::min(self->output_bytes, batch.size());
        if (!written) self->finish(written.error());
        for (const auto& one : waiting)
            one->answer(written ? base::Status{} : base::Status(std::unexpected(written.error())));
        self->let_in();
    }
    self->writing = false;
}

net::Task<> Client::Impl::keep_alive(Ptr self) {
    while (!self->end) {
        const auto interval = self->ping_every;
        const bool woken = co_await self->pinger.wait(interval);
        if (woken || self->end) continue;
        self->pinged = true;
        self->enqueue(Pingreq{});
        const auto limit = self->limit;
        const bool answered = co_await self->pinger.wait(limit);
        if (!answered && self->pinged)
            self->finish(self->error(base::Code::timeout, "got no PINGRESP in time"));
    }
}

void Client::Impl::finish(base::Error why) {
    if (end) return;
    end = std::move(why);
    stream.close();
    pinger.notify();
    for (auto& [id, owed] : std::exchange(pending, {})) owed.waiting->answer(std::unexpected(*end));
    for (auto& item : std::exchange(output, {}))
        if (item.written) item.written->answer(std::unexpected(*end));
    output_bytes = 0;
    for (auto& waiting : std::exchange(for_room, {})) waiting->answer(std::unexpected(*end));
    for (auto& waiting : for_end) waiting->answer({});
    unhandled.clear();
}

}  // namespace mqtt
