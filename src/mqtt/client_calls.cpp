// SPDX-License-Identifier: Apache-2.0
// What the owner of a client calls, as tasks that wait for the client's own tasks.
#include "mqtt/client_impl.hpp"

namespace mqtt {
namespace {

/// Unacknowledged messages and unwritten bytes at which a publisher waits.
constexpr std::size_t window = 256;
constexpr std::size_t most_output = 1024 * 1024;

base::Status check(const Publish& message) {
    const auto fail = [](base::Code code, std::string reason, std::string fix = {}) {
        return base::fail(code, "MQTT message", std::move(reason), std::move(fix));
    };
    if (!is_valid_topic(message.topic))
        return fail(base::Code::invalid_argument,
                    "has a topic that is empty, too long, no UTF-8 or holds a wildcard");
    if (message.qos == Qos::exactly_once) return fail(base::Code::unsupported, "has QoS 2", "use QoS 1");
    constexpr std::size_t framing = 16;
    const auto size = message.topic.size() + message.payload.size() + framing;
    if (size > limits::packet)
        return fail(base::Code::too_large, "has " + std::to_string(size) + " bytes, over the limit of " +
                                               std::to_string(limits::packet));
    return {};
}

base::Status check(const std::vector<Subscription>& subscriptions) {
    const auto fail = [](std::string reason) {
        return base::fail(base::Code::invalid_argument, "MQTT subscription", std::move(reason));
    };
    if (subscriptions.empty() || subscriptions.size() > limits::filters)
        return fail("has " + std::to_string(subscriptions.size()) + " filters where 1 to 64 are allowed");
    for (const auto& wanted : subscriptions)
        if (!is_valid_filter(wanted.filter))
            return fail("has the filter \"" + wanted.filter + "\", which is none");
    return {};
}

}  // namespace

bool Client::Impl::has_room() const {
    return pending.size() + let_in_now < window && output_bytes < most_output;
}

void Client::Impl::let_in() {
    while (!for_room.empty() && has_room()) {
        ++let_in_now;
        for_room.front()->answer({});
        for_room.pop_front();
    }
}

net::Task<base::Status> Client::Impl::room(Ptr self) {
    if (self->end) co_return std::unexpected(*self->end);
    if (self->for_room.empty() && self->let_in_now == 0 && self->has_room()) co_return base::Status{};
    const auto waiting = std::make_shared<Waiting>();
    self->for_room.push_back(waiting);
    const auto limit = self->limit;
    co_await waiting->event.wait(limit);
    if (waiting->result) {
        if (*waiting->result) --self->let_in_now;
        if (self->end) co_return std::unexpected(*self->end);
        co_return *waiting->result;
    }
    std::erase(self->for_room, waiting);
    co_return std::unexpected(self->error(base::Code::timeout, "took no further message in time"));
}

net::Task<base::Status> Client::Impl::answer(Ptr self, WaitingPtr waiting, std::string what) {
    const auto deadline = std::chrono::steady_clock::now() + self->limit;
    const auto limit = self->limit;
    co_await waiting->event.wait(limit);
    if (waiting->result) co_return *waiting->result;
    // Woken before the time without an answer: the caller was cancelled. The id stays taken until it is
    // acknowledged.
    if (std::chrono::steady_clock::now() < deadline)
        co_return std::unexpected(self->error(base::Code::cancelled, what + " was given up by its caller"));
    const auto late = self->error(base::Code::timeout, what + " was not answered in time");
    self->finish(late);
    co_return std::unexpected(late);
}

std::uint16_t Client::Impl::free_id() {
    // Fewer than `window` ids are taken, so the search is short.
    while (next_id == 0 || pending.contains(next_id)) ++next_id;
    return next_id++;
}

net::Task<base::Status> Client::Impl::publish(Ptr self, Publish message) {
    auto good = check(message);
    if (!good) co_return good;
    auto entered = co_await room(self);
    if (!entered) co_return entered;
    const auto waiting = std::make_shared<Waiting>();
    if (message.qos == Qos::at_most_once) {
        self->enqueue(message, waiting);
        auto written = co_await answer(self, waiting, "a message");
        co_return written;
    }
    message.packet_id = self->free_id();
    self->pending.emplace(message.packet_id, Pending{waiting, {}});
    self->enqueue(message);
    message.payload = {};
    auto acknowledged = co_await answer(self, waiting, "PUBLISH " + std::to_string(message.packet_id));
    co_return acknowledged;
}

net::Task<base::Status> Client::Impl::subscribe(Ptr self, std::vector<Subscription> subscriptions) {
    auto good = check(subscriptions);
    if (!good) co_return good;
    auto entered = co_await room(self);
    if (!entered) co_return entered;
    const auto waiting = std::make_shared<Waiting>();
    Subscribe request{self->free_id(), std::move(subscriptions)};
    self->pending.emplace(request.packet_id, Pending{waiting, request.subscriptions});
    self->enqueue(request);
    auto granted = co_await answer(self, waiting, "SUBSCRIBE");
    co_return granted;
}

net::Task<base::Error> Client::Impl::ended(Ptr self) {
    while (!self->end) {
        const auto waiting = std::make_shared<Waiting>();
        self->for_end.push_back(waiting);
        const auto deadline = std::chrono::steady_clock::now() + no_limit;
        co_await waiting->event.wait(no_limit);
        std::erase(self->for_end, waiting);
        if (!self->end && std::chrono::steady_clock::now() < deadline)
            co_return self->error(base::Code::cancelled, "is no longer watched");
    }
    co_return *self->end;
}

net::Task<> Client::Impl::disconnect(Ptr self) {
    if (self->end) co_return;
    const auto waiting = std::make_shared<Waiting>();
    self->enqueue(Disconnect{}, waiting);
    co_await answer(self, waiting, "DISCONNECT");
    self->finish(self->error(base::Code::cancelled, "was ended by this side"));
}

}  // namespace mqtt
