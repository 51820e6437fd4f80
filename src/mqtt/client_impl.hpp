// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mqtt/client.hpp"
#include "net/loop.hpp"
#include "net/timer.hpp"

namespace mqtt {

/// Of a wait that another task ends.
inline constexpr std::chrono::hours no_limit{24};

/// What one task waits for and another answers.
struct Waiting {
    net::Event event;
    std::optional<base::Status> result;

    void answer(base::Status status) {
        if (!result) result = std::move(status);
        event.notify();
    }
};

/// The state of one client connection. Held by the Client and by its tasks, so that none of them outlives it;
/// all on one loop. `finish` is the only way to the end, and after it every wait is answered.
struct Client::Impl : std::enable_shared_from_this<Client::Impl> {
    using Ptr = std::shared_ptr<Impl>;
    using WaitingPtr = std::shared_ptr<Waiting>;

    struct Outgoing {
        base::Bytes bytes;
        WaitingPtr written;  ///< may be null
    };
    /// An acknowledgement that is owed to us.
    struct Pending {
        WaitingPtr waiting;
        std::vector<Subscription> subscriptions;  ///< empty: a PUBLISH
    };

    Impl(net::Stream connected, const Options& options);

    static net::Task<base::Status> publish(Ptr self, Publish message);
    static net::Task<base::Status> subscribe(Ptr self, std::vector<Subscription> subscriptions);
    static net::Task<base::Error> ended(Ptr self);
    static net::Task<> disconnect(Ptr self);

    static net::Task<> read(Ptr self);
    static net::Task<> write(Ptr self);
    static net::Task<> keep_alive(Ptr self);

    /// Waits in the order of the calls until there is room for one more message.
    static net::Task<base::Status> room(Ptr self);
    /// Waits for an answer. Where none comes in time the connection is ended: MQTT 3.1.1 repeats nothing on
    /// it.
    static net::Task<base::Status> answer(Ptr self, WaitingPtr waiting, std::string what);
    bool has_room() const;
    void let_in();
    std::uint16_t free_id();
    void enqueue(const Packet& packet, WaitingPtr written = nullptr);
    void handle_inbox();
    void handle(Packet packet);
    void handle_publish(const Publish& message);
    void handle_suback(const Suback& suback);
    void deliver(const Publish& message);
    void finish(base::Error why);
    base::Error error(base::Code code, std::string reason) const {
        return {code, thing, std::move(reason), {}};
    }

    net::Loop& loop;
    net::Stream stream;
    std::string thing;  ///< "MQTT connection to host:port"
    std::chrono::milliseconds limit;
    std::chrono::seconds ping_every;
    bool session_present = false;

    base::Bytes inbox;  ///< an incomplete packet; empty while idle
    std::deque<Outgoing> output;
    std::size_t output_bytes = 0;
    bool writing = false;
    std::deque<WaitingPtr> for_room;
    std::size_t let_in_now = 0;  ///< were let in and have not run yet
    std::map<std::uint16_t, Pending> pending;
    std::uint16_t next_id = 1;

    std::shared_ptr<std::function<void(const Publish&)>> handler;
    std::deque<Publish> unhandled;  ///< came before there was a handler
    bool pinged = false;
    net::Event pinger;
    std::optional<base::Error> end;
    std::vector<WaitingPtr> for_end;
};

}  // namespace mqtt
