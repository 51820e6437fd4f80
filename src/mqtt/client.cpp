// SPDX-License-Identifier: Apache-2.0
#include "mqtt/client.hpp"

#include "mqtt/client_impl.hpp"

namespace mqtt {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

std::string thing_of(const net::TlsTarget& target) {
    return "MQTT connection to " + target.host + ":" + std::to_string(target.port);
}

base::Status check(const Connect& connect) {
    const auto fail = [](std::string reason) {
        return base::fail(base::Code::invalid_argument, "MQTT CONNECT", std::move(reason));
    };
    if (connect.client_id.size() > longest_text) return fail("has a client id over 65,535 bytes");
    if (connect.user_name.value_or("").size() > longest_text)
        return fail("has a user name over 65,535 bytes");
    if (connect.password.value_or("").size() > longest_text) return fail("has a password over 65,535 bytes");
    if (connect.password && !connect.user_name) return fail("has a password without a user name");
    if (connect.will && (!is_valid_topic(connect.will->topic) || connect.will->payload.size() > longest_text))
        return fail("has a will that cannot be written");
    return {};
}

base::Status read_verdict(const Connack& connack, const std::string& thing) {
    const auto code = " (CONNACK " + std::to_string(static_cast<int>(connack.code)) + ")";
    switch (connack.code) {
        case ConnackCode::accepted:
            return {};
        case ConnackCode::unacceptable_protocol:
            return base::fail(base::Code::invalid_argument, thing,
                              "was refused: the server wants another protocol level" + code);
        case ConnackCode::identifier_rejected:
            return base::fail(base::Code::invalid_argument, thing,
                              "was refused: the client id is not the user name's" + code);
        case ConnackCode::server_unavailable:
            return base::fail(base::Code::unavailable, thing,
                              "was refused for now: the server is not available" + code);
        case ConnackCode::bad_user_name_or_password:
            return base::fail(base::Code::unauthenticated, thing,
                              "was refused: user name or password is malformed" + code);
        case ConnackCode::not_authorized:
            return base::fail(base::Code::unauthenticated, thing, "was refused: not authorized" + code);
    }
    return base::fail(base::Code::malformed, thing, "got an unknown refusal" + code);
}

/// Reads until CONNACK; what follows it stays in the inbox.
net::Task<base::Result<Connack>> read_connack(Client::Impl& impl, SteadyTime deadline) {
    constexpr std::size_t at_once = 2048;
    for (;;) {
        auto decoded = decode(impl.inbox);
        if (!decoded) co_return std::unexpected(std::move(decoded).error());
        if (*decoded) {
            const auto* connack = std::get_if<Connack>(&(*decoded)->packet);
            if (connack == nullptr)
                co_return std::unexpected(impl.error(
                    base::Code::malformed, "was answered by " + std::string(name((*decoded)->packet)) +
                                               " in place of CONNACK (MQTT-3.2.0-1)"));
            const auto used = static_cast<std::ptrdiff_t>((*decoded)->consumed);
            impl.inbox.erase(impl.inbox.begin(), impl.inbox.begin() + used);
            co_return *connack;
        }
        if (std::chrono::steady_clock::now() >= deadline)
            co_return std::unexpected(impl.error(base::Code::timeout, "got no CONNACK in time"));
        const auto have = impl.inbox.size();
        impl.inbox.resize(have + at_once);
        const auto room = std::span(impl.inbox).subspan(have);
        const auto limit = net::left_until(deadline);
        auto got = co_await impl.stream.read_some(room, limit);
        impl.inbox.resize(have + (got ? *got : 0));
        if (got) continue;
        if (got.error().code == base::Code::timeout)
            co_return std::unexpected(impl.error(base::Code::timeout, "got no CONNACK in time"));
        if (got.error().code == base::Code::closed)
            co_return std::unexpected(
                impl.error(base::Code::closed, "was closed by the server before CONNACK"));
        co_return std::unexpected(std::move(got).error());
    }
}

}  // namespace

Client::Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Client::~Client() {
    impl_->handler.reset();
    impl_->finish(impl_->error(base::Code::cancelled, "was dropped by its owner"));
}

net::Task<base::Result<std::unique_ptr<Client>>> Client::connect(Options options, const base::Clock& clock,
                                                                 pki::Verdict* verdict) {
    auto good = check(options.connect);
    if (!good) co_return std::unexpected(std::move(good).error());
    const auto deadline = std::chrono::steady_clock::now() + options.limit;
    auto connected = co_await net::connect_tls(options.target, options.tls, options.limit, clock, verdict);
    if (!connected) co_return std::unexpected(std::move(connected).error());
    auto impl = std::make_shared<Impl>(std::move(connected->stream), options);

    const auto hello = encode(options.connect);
    const auto limit = net::left_until(deadline);
    auto written = co_await impl->stream.write_all(hello, limit);
    if (!written) co_return std::unexpected(std::move(written).error());
    auto connack = co_await read_connack(*impl, deadline);
    if (!connack) co_return std::unexpected(std::move(connack).error());
    auto accepted = read_verdict(*connack, impl->thing);
    if (!accepted) co_return std::unexpected(std::move(accepted).error());

    impl->session_present = connack->session_present;
    if (options.on_message)
        impl->handler = std::make_shared<std::function<void(const Publish&)>>(std::move(options.on_message));
    impl->loop.spawn("mqtt.client.read", Impl::read(impl));
    if (impl->ping_every.count() > 0) impl->loop.spawn("mqtt.client.keep_alive", Impl::keep_alive(impl));
    co_return std::make_unique<Client>(std::move(impl));
}

net::Task<base::Status> Client::publish(std::string topic, base::Bytes payload, Qos qos) {
    Publish message;
    message.topic = std::move(topic);
    message.payload = std::move(payload);
    message.qos = qos;
    return Impl::publish(impl_, std::move(message));
}

net::Task<base::Status> Client::subscribe(std::vector<Subscription> subscriptions) {
    return Impl::subscribe(impl_, std::move(subscriptions));
}

void Client::on_message(std::function<void(const Publish&)> handler) {
    impl_->handler = std::make_shared<std::function<void(const Publish&)>>(std::move(handler));
    const auto impl = impl_;  // the handler may drop this client
    while (!impl->unhandled.empty() && !impl->end) {
        const auto message = std::move(impl->unhandled.front());
        impl->unhandled.pop_front();
        impl->deliver(message);
    }
}

net::Task<base::Error> Client::ended() {
    return Impl::ended(impl_);
}
bool Client::is_open() const {
    return !impl_->end;
}
bool Client::session_present() const {
    return impl_->session_present;
}
net::Task<> Client::disconnect() {
    return Impl::disconnect(impl_);
}

Client::Impl::Impl(net::Stream connected, const Options& options)
    : loop(net::this_loop()),
      stream(std::move(connected)),
      thing(thing_of(options.target)),
      limit(options.limit),
      // Half the interval that was promised, so that a slow network breaks no promise.
      ping_every(options.connect.keep_alive == 0 ? 0 : std::max(1, options.connect.keep_alive / 2)) {}

}  // namespace mqtt
